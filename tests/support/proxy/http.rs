//! As much of HTTP/1.1 as it takes to tell where a message ends.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request or an answer, whole.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Everything, as it came.
    pub bytes: Vec<u8>,
    /// Where the body begins.
    pub body: usize,
    /// The method of a request.
    pub method: String,
    /// The path and query of a request.
    pub target: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Whether it is a HEAD request, whose answer has no body.
    pub head: bool,
}

impl Message {
    /// Reads a request; none at the end of the connection.
    pub async fn read(stream: &mut TcpStream) -> io::Result<Option<Self>> {
        Self::whole(stream, false, false).await
    }

    /// Reads an answer.
    pub async fn read_answer(stream: &mut (impl AsyncRead + Unpin), to_head: bool) -> io::Result<Option<Self>> {
        Self::whole(stream, true, to_head).await
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes[self.body..]).into_owned()
    }

    /// The body as it was before it was cut into chunks.
    pub fn content(&self) -> Vec<u8> {
        let body = &self.bytes[self.body..];
        if !self.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            return body.to_vec();
        }
        let mut content = Vec::new();
        let mut rest = body;
        while let Ok(httparse::Status::Complete((start, length))) = httparse::parse_chunk_size(rest) {
            let chunk = usize::try_from(length).ok().and_then(|length| rest.get(start..start + length));
            let Some(chunk) = chunk.filter(|chunk| !chunk.is_empty()) else { break };
            content.extend_from_slice(chunk);
            // Each chunk ends with a line of its own.
            rest = rest.get(start + chunk.len() + 2..).unwrap_or_default();
        }
        content
    }

    async fn whole(stream: &mut (impl AsyncRead + Unpin), answer: bool, to_head: bool) -> io::Result<Option<Self>> {
        let mut message = Self::default();
        let mut status = 0;
        loop {
            if !message.more(stream).await? {
                return Ok(None);
            }
            let mut headers = [httparse::EMPTY_HEADER; 128];
            let parsed = if answer {
                let mut response = httparse::Response::new(&mut headers);
                let parsed = response.parse(&message.bytes).map_err(io::Error::other)?;
                status = response.code.unwrap_or_default();
                parsed
            } else {
                let mut request = httparse::Request::new(&mut headers);
                let parsed = request.parse(&message.bytes).map_err(io::Error::other)?;
                message.method = request.method.unwrap_or_default().to_owned();
                message.target = request.path.unwrap_or_default().to_owned();
                parsed
            };
            if let httparse::Status::Complete(body) = parsed {
                message.body = body;
                let known = headers.iter().take_while(|header| !header.name.is_empty());
                let known = known.map(|header| (header.name.to_lowercase(), String::from_utf8_lossy(header.value).into_owned()));
                message.headers = known.collect();
                break;
            }
        }
        message.head = message.method == "HEAD";
        if to_head || answer && (status == 204 || status == 304) {
            return Ok(Some(message));
        }
        message.rest(stream, answer).await?;
        Ok(Some(message))
    }

    async fn rest(&mut self, stream: &mut (impl AsyncRead + Unpin), answer: bool) -> io::Result<()> {
        if self.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            while !self.bytes[self.body..].ends_with(b"0\r\n\r\n") {
                if !self.more(stream).await? {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            return Ok(());
        }
        match self.header("content-length").and_then(|length| length.parse::<usize>().ok()) {
            Some(length) => {
                while self.bytes.len() < self.body + length {
                    if !self.more(stream).await? {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
            // An answer without length ends with the connection; a request without has no body.
            None if answer => while self.more(stream).await? {},
            None => {}
        }
        Ok(())
    }

    async fn more(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
        let mut buffer = [0; 16384];
        let read = stream.read(&mut buffer).await?;
        self.bytes.extend_from_slice(&buffer[..read]);
        Ok(read > 0)
    }
}

/// Writes a whole message.
pub async fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}
