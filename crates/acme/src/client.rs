use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use sealyard_outbound::{Exchange, Outbound};

/// No answer of a directory is longer: the longest is a chain.
const LONGEST: usize = 1 << 20;

/// Sends what an account has to say through the guard.
#[derive(Debug, Clone)]
pub(crate) struct Guarded(pub(crate) Arc<Outbound>);

impl HttpClient for Guarded {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let outbound = Arc::clone(&self.0);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let Ok(body) = body.collect().await;
            let url = parts.uri.to_string();
            let exchange = Exchange {
                method: parts.method,
                url: &url,
                headers: parts.headers,
                body: Some(body.to_bytes()).filter(|body| !body.is_empty()),
                most: LONGEST,
            };
            let answer = outbound.exchange(exchange).await.map_err(|error| Error::Other(Box::new(error)))?;
            Ok(BytesResponse::from(answer.map(Full::new)))
        })
    }
}
