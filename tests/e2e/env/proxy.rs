//! A server that stands before another one and misbehaves on demand: what the real one can't be made to do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of one request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is passed on, and so is the answer.
    None,
    /// It is taken, and nothing ever comes back.
    Hang,
    /// It is passed on and has its effect; nothing ever comes back.
    HangAfterEffect,
    /// It is not passed on; this is the answer, status line and all.
    Answer(String),
    /// It is passed on and has its effect; this is the answer.
    AnswerAfterEffect(String),
    /// It is passed on; the answer ends after this many bytes of its body.
    Cut(usize),
    /// It is passed on; the answer's body comes a byte at a time.
    Slow,
    /// It is passed on; the answer's body is changed first.
    Edit(fn(Vec<u8>) -> Vec<u8>),
}

/// One request, as far as a test wants to know.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `GET /api/v1/query?query=up`.
    pub(crate) line: String,
    /// The headers as they came.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

type Decide = dyn Fn(&Seen) -> Fault + Send + Sync;

/// A proxy before one server. It lives as long as the process.
pub(crate) struct Proxy {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    decide: Arc<Mutex<Arc<Decide>>>,
}

impl Proxy {
    /// A proxy before `upstream` (an address without a slash at its end) that passes everything on.
    ///
    /// `authorities` are the certificates of an upstream with TLS; the proxy itself speaks plain HTTP.
    pub(crate) fn before(upstream: &str, authorities: Option<&[u8]>) -> Self {
        let mut tls = ureq::tls::TlsConfig::builder();
        if let Some(pem) = authorities {
            // A server's own file holds its certificate first and its authority's after that.
            let certificates: Vec<_> = ureq::tls::parse_pem(pem)
                .filter_map(|item| match item.unwrap() {
                    ureq::tls::PemItem::Certificate(certificate) => Some(certificate),
                    _ => None,
                })
                .collect();
            tls = tls.root_certs(ureq::tls::RootCerts::new_with_certs(&certificates));
        }
        let tls = tls
            .unversioned_rustls_crypto_provider(fleetscale::net::tls_provider())
            .build();
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .into();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let pass: Arc<Decide> = Arc::new(|_| Fault::None);
        let decide = Arc::new(Mutex::new(pass));
        let (log, rule, upstream) = (seen.clone(), decide.clone(), upstream.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (agent, upstream, log, rule) = (agent.clone(), upstream.clone(), log.clone(), rule.clone());
                // A client that hangs up in the middle is its own test's business.
                std::thread::spawn(move || serve(stream, &agent, &upstream, &log, &rule));
            }
        });
        Self { url, seen, decide }
    }

    /// The proxy's own address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on requests are treated so.
    pub(crate) fn when(&self, decide: impl Fn(&Seen) -> Fault + Send + Sync + 'static) {
        *self.decide.lock().unwrap() = Arc::new(decide);
    }

    /// The requests so far, and forgets them.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// An answer with a JSON body.
pub(crate) fn json_answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn serve(
    stream: TcpStream,
    agent: &ureq::Agent,
    upstream: &str,
    log: &Mutex<Vec<Seen>>,
    rule: &Mutex<Arc<Decide>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let request = read_request(&mut reader)?;
    log.lock().unwrap().push(request.clone());
    let decide = rule.lock().unwrap().clone();
    let fault = decide(&request);
    let mut stream = stream;
    match fault {
        Fault::Hang => hang(&stream),
        Fault::Answer(text) => stream.write_all(text.as_bytes()).ok()?,
        Fault::AnswerAfterEffect(text) => {
            forward(agent, upstream, &request)?;
            stream.write_all(text.as_bytes()).ok()?;
        }
        Fault::HangAfterEffect => {
            forward(agent, upstream, &request)?;
            hang(&stream);
        }
        Fault::None | Fault::Cut(_) | Fault::Slow | Fault::Edit(_) => {
            let (head, mut body) = forward(agent, upstream, &request)?;
            if let Fault::Edit(edit) = fault {
                body = edit(body);
            }
            let head = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).ok()?;
            match fault {
                Fault::Cut(bytes) => stream.write_all(&body[..bytes.min(body.len())]).ok()?,
                Fault::Slow => {
                    for byte in body {
                        stream.write_all(&[byte]).ok()?;
                        std::thread::sleep(Duration::from_millis(500));
                    }
                }
                _ => stream.write_all(&body).ok()?,
            }
        }
    }
    Some(())
}

/// Keeps a connection open until its other end gives up.
fn hang(stream: &TcpStream) {
    let mut rest = [0; 1_024];
    let mut stream = stream;
    while matches!(stream.read(&mut rest), Ok(read) if read > 0) {}
}

fn read_request(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = || -> Option<String> {
        let mut line = String::new();
        (reader.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = Vec::new();
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let value = |name: &str| {
        headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    let mut body = Vec::new();
    if value("transfer-encoding").is_some_and(|how| how.contains("chunked")) {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    } else if let Some(length) = value("content-length") {
        body = vec![0; length.parse().ok()?];
        reader.read_exact(&mut body).ok()?;
    }
    let line = first.rsplit_once(' ')?.0.to_owned();
    Some(Seen { line, headers, body })
}

/// Sends a request on, and returns the status line with the headers, and the body.
fn forward(agent: &ureq::Agent, upstream: &str, request: &Seen) -> Option<(String, Vec<u8>)> {
    let (method, path) = request.line.split_once(' ')?;
    let mut builder = http::Request::builder().method(method).uri(format!("{upstream}{path}"));
    for (name, value) in &request.headers {
        if !matches!(
            name.as_str(),
            "host" | "connection" | "content-length" | "transfer-encoding" | "expect"
        ) {
            builder = builder.header(name, value);
        }
    }
    let mut answer = agent.run(builder.body(request.body.clone()).ok()?).ok()?;
    let mut head = format!("HTTP/1.1 {}\r\n", answer.status());
    for (name, value) in answer.headers() {
        if !matches!(name.as_str(), "connection" | "content-length" | "transfer-encoding") {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().ok()?));
        }
    }
    let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec().ok()?;
    Some((head, body))
}
