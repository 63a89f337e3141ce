//! A server before another one, which it corrects: it answers some requests itself and changes some answers.
//!
//! It speaks HTTP/1.0 to the server behind it, so that every answer ends with its connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    /// `200 OK`.
    pub(super) status: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What is done about a request before and after it is passed on.
type Before = dyn Fn(&Asked) -> Option<Reply> + Send + Sync;
type After = dyn Fn(&Asked, &mut Reply) + Send + Sync;

impl Reply {
    pub(super) fn json(status: &str, body: &serde_json::Value) -> Self {
        Self {
            status: status.to_owned(),
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    #[must_use]
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Starts a server before one on a port of this machine; returns its address. It runs until the test's process ends.
pub(super) fn start(behind: SocketAddr, before: Box<Before>, after: Box<After>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let what = Arc::new((before, after));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let what = what.clone();
            // A client that hangs up in the middle is its own test's business.
            std::thread::spawn(move || serve(behind, &what, stream));
        }
    });
    format!("http://{address}")
}

fn serve(
    behind: SocketAddr,
    (before, after): &(Box<Before>, Box<After>),
    mut stream: TcpStream,
) -> std::io::Result<()> {
    let asked = read_request(&stream)?;
    let reply = match before(&asked) {
        Some(reply) => reply,
        None => {
            let mut reply = forward(behind, &asked)?;
            after(&asked, &mut reply);
            reply
        }
    };
    let mut head = format!("HTTP/1.1 {}\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let length = reply.body.len();
    head.push_str(&format!("Content-Length: {length}\r\nConnection: close\r\n\r\n"));
    stream.write_all(head.as_bytes())?;
    stream.write_all(&reply.body)
}

/// Asks a server and reads its answer to the end.
pub(super) fn forward(to: SocketAddr, asked: &Asked) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect(to)?;
    let mut head = format!("{} {} HTTP/1.0\r\nHost: {to}\r\n", asked.method, asked.target);
    for (name, value) in &asked.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", asked.body.len()));
    // A server that refuses without reading the body closes early; what it said is still there to be read.
    let _ = stream.write_all(&[head.as_bytes(), &asked.body].concat());
    let mut reader = BufReader::new(stream);
    let (first, mut headers) = read_head(&mut reader)?;
    headers.retain(|(name, _)| !matches!(name.to_ascii_lowercase().as_str(), "content-length" | "connection"));
    let mut body = Vec::new();
    let _ = reader.read_to_end(&mut body);
    let status = first
        .split_once(' ')
        .map_or("502 Bad Gateway", |(_, status)| status)
        .to_owned();
    Ok(Reply { status, headers, body })
}

fn read_request(stream: &TcpStream) -> std::io::Result<Asked> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    let mut chunked = false;
    let (first, mut headers) = read_head(&mut reader)?;
    headers.retain(|(name, value)| match name.to_ascii_lowercase().as_str() {
        "content-length" => {
            length = value.parse().unwrap_or(0);
            false
        }
        "transfer-encoding" => {
            chunked = true;
            false
        }
        "host" | "connection" | "accept-encoding" => false,
        _ => true,
    });
    let body = if chunked {
        read_chunks(&mut reader)?
    } else {
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        body
    };
    let mut words = first.split(' ').map(str::to_owned);
    Ok(Asked {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        headers,
        body,
    })
}

/// The first line, and the headers that say something about the content.
fn read_head(reader: &mut impl BufRead) -> std::io::Result<(String, Vec<(String, String)>)> {
    let mut line = || -> std::io::Result<String> {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = Vec::new();
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(':') else {
            return Ok((first, headers));
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn read_chunks(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap_or(0);
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}
