//! Serves repositories over smart HTTP with git's own `http-backend`, on loopback, with and without TLS.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::git::{Remote, RemoteServer};
use crate::net::{Credentials, Deadline};

/// A request, as far as tests look at it.
pub(crate) struct Asked<'a> {
    /// `GET /remote.git/info/refs?service=git-receive-pack`.
    pub(crate) line: &'a str,
    /// The value of the header `Authorization`, or nothing.
    pub(crate) authorization: &'a str,
    /// How many bytes its body has.
    pub(crate) length: usize,
}

/// What happens before a request is served; it may answer in the server's stead.
type Before = dyn Fn(&Asked<'_>) -> Option<String> + Send + Sync;

/// A server for all repositories of a folder. It stops when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server that calls `before` on each request.
    pub(crate) fn start(root: &Path, before: impl Fn(&Asked<'_>) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::listen(root, "http", Arc::new(before), |stream| Box::new(stream))
    }

    /// The same over TLS, with the certificate of the tests.
    pub(crate) fn start_tls(root: &Path) -> Self {
        let config = Arc::new(tls_config());
        Self::listen(root, "https", Arc::new(|_: &Asked<'_>| None), move |stream| {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            Box::new(rustls::StreamOwned::new(connection, stream))
        })
    }

    fn listen(
        root: &Path,
        scheme: &'static str,
        before: Arc<Before>,
        wrap: impl Fn(TcpStream) -> Box<dyn ReadWrite + Send> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (root, stopping) = (root.to_owned(), stop.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = wrap(stream.unwrap());
                let (root, before) = (root.clone(), before.clone());
                // A client that hangs up in the middle is its own test's business.
                std::thread::spawn(move || serve(&mut *stream, &root, before.as_ref()));
            }
        });
        Self {
            address,
            scheme,
            stop,
            thread: Some(thread),
        }
    }

    /// A repository as a remote without credentials.
    pub(crate) fn remote(&self, repository: &str) -> Remote {
        Remote::Server(remote_server(&self.url(repository), Credentials::None))
    }

    /// The address of a repository.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("{}://{}/{repository}", self.scheme, self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

pub(crate) trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

/// A repository on a server of the tests, given ten seconds for an operation, with the tests' authority.
pub(crate) fn remote_server(url: &str, credentials: Credentials) -> RemoteServer {
    let limit = Duration::from_secs(10);
    let mut server = crate::net::Server::new(url).unwrap();
    server.credentials = credentials;
    server.authorities = Some(material("test-ca.pem"));
    RemoteServer::new(server, limit, Deadline::after(6 * limit)).unwrap()
}

fn material(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/env/tls");
    std::fs::read(folder.join(name)).unwrap()
}

fn tls_config() -> rustls::ServerConfig {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificate = CertificateDer::from_pem_slice(&material("test-localhost.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&material("test-localhost.key.pem")).unwrap();
    rustls::ServerConfig::builder_with_provider(crate::net::tls_provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

fn serve(stream: &mut dyn ReadWrite, root: &Path, before: &Before) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = || -> std::io::Result<String> {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    };
    let request = line()?;
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (mut kind, mut authorization, mut length, mut chunked) = (String::new(), String::new(), 0, false);
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-type" => kind = value.to_owned(),
            "authorization" => authorization = value.to_owned(),
            "content-length" => length = value.parse().unwrap(),
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            _ => {}
        }
    }
    let body = if chunked {
        dechunk(&mut reader)?
    } else {
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        body
    };
    let stream = reader.into_inner();
    let asked = Asked {
        line: &format!("{method} {target}"),
        authorization: &authorization,
        length: body.len(),
    };
    if let Some(answer) = before(&asked) {
        stream.write_all(answer.as_bytes())?;
        return stream.flush();
    }
    let mut backend = Command::new("git")
        .arg("http-backend")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "someone")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", kind)
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = backend.stdin.take().unwrap();
    let writing = std::thread::spawn(move || input.write_all(&body));
    let output = backend.wait_with_output()?.stdout;
    let _ = writing.join();
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(0);
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let status = head
        .lines()
        .find_map(|line| line.strip_prefix("Status: "))
        .unwrap_or("200 OK");
    let body = &output[end + 4..];
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(body)?;
    stream.flush()
}

fn dechunk(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
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
