//! A JSON API as a person's script uses it, to set the stage and to look at what became of it.

use fleetscale::net::{Client, Credentials, Deadline, Limits, Request, Server};
use http::Method;
use serde_json::Value;
use std::time::Duration;

/// A JSON API with one user's credentials.
pub(crate) struct Api(Client);

/// Runs a future to its end. Each call has a runtime of its own, as each verb of the command line has.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

impl Api {
    pub(crate) fn new(url: &str, credentials: Credentials) -> Self {
        let limits = Limits {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(60),
            body: 64 << 20,
        };
        let mut server = Server::new(url).unwrap();
        server.credentials = credentials;
        Self(Client::new(&server, limits).unwrap())
    }

    /// Sends a request; returns the status and what the answer says, which is null if it is no JSON. A server that is not there is 0.
    pub(crate) fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let request = Request {
            method,
            path,
            query: &[],
            body: body.map(|body| ("application/json", body.to_string().into_bytes())),
        };
        let deadline = Deadline::after(Duration::from_secs(60));
        wait(self.0.send(request, deadline)).map_or((0, Value::Null), |answer| {
            (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
        })
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.good(Method::GET, path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.good(Method::POST, path, Some(body))
    }

    /// A call that has to go well.
    pub(crate) fn good(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.call(method.clone(), path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }
}
