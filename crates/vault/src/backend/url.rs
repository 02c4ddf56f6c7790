use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use tokio::runtime::Handle;

use super::RemoteBackend;

/// Where artifacts are kept, as `--artifacts` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactsUrl {
    /// `file:///directory`
    Directory(PathBuf),
    /// `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`
    Bucket {
        /// Whose.
        service: Service,
        /// The bucket or container.
        bucket: String,
        /// Where in it; may be empty.
        prefix: String,
    },
}

/// A storage service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Amazon S3 and what speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

impl Service {
    const fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
        }
    }
}

impl fmt::Display for ArtifactsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "file://{}", path.display()),
            Self::Bucket { service, bucket, prefix } if prefix.is_empty() => {
                write!(f, "{}://{bucket}", service.scheme())
            }
            Self::Bucket { service, bucket, prefix } => write!(f, "{}://{bucket}/{prefix}", service.scheme()),
        }
    }
}

/// The URL of the artifact storage can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactsUrlError {
    /// It is none of the kinds there are.
    #[error("{0:?} names no artifact storage: expected s3://BUCKET/PREFIX, gs://…, az://… or file:///DIRECTORY")]
    Malformed(String),
    /// A secret does not belong into arguments, which every process can read.
    #[error("the URL of the artifact storage holds credentials; give them in the environment")]
    Credentials,
    /// Everything would go over the network unprotected.
    #[error("the endpoint {0} of the artifact storage is plain http, which is allowed on loopback only")]
    PlainHttp(String),
    /// The settings of the environment make no storage.
    #[error("the artifact storage can't be set up: {0}")]
    Settings(String),
}

impl FromStr for ArtifactsUrl {
    type Err = ArtifactsUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ArtifactsUrlError::Malformed(text.chars().take(200).collect());
        if let Some(path) = text.strip_prefix("file://") {
            let plain = path.starts_with('/') && !path.contains(['%', '?', '#', '\0']) && path != "/";
            return if plain { Ok(Self::Directory(PathBuf::from(path))) } else { Err(malformed()) };
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(malformed)?;
        let service = match scheme {
            "s3" => Service::S3,
            "gs" => Service::Google,
            "az" => Service::Azure,
            _ => return Err(malformed()),
        };
        if rest.contains(['@', '?', '#']) {
            return Err(ArtifactsUrlError::Credentials);
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let is_name = |text: &str| {
            !text.is_empty()
                && text.len() <= 255
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let prefix_is_plain =
            prefix.is_empty() || prefix.split('/').all(|part| is_name(part) && part != "." && part != "..");
        if !is_name(bucket) || !prefix_is_plain {
            return Err(malformed());
        }
        Ok(Self::Bucket { service, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

/// Long enough for a large part on a slow line, short enough that a client gets an answer.
fn client(allow_http: bool) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(allow_http)
        .with_connect_timeout(Duration::from_secs(5))
        .with_timeout(Duration::from_secs(90))
        .with_user_agent(http::HeaderValue::from_static(concat!("sealyard/", env!("CARGO_PKG_VERSION"))))
}

/// A client that gets no answer tries again itself, so that little is won by trying for long here.
fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: 4,
        retry_timeout: Duration::from_secs(20),
    }
}

/// Whether this endpoint may be spoken to in plain text; an error when it would be and is elsewhere.
fn plain(endpoint: Option<String>) -> Result<bool, ArtifactsUrlError> {
    let Some(endpoint) = endpoint else { return Ok(false) };
    let Some(rest) = endpoint.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://")).map(|_| &endpoint[7..])
    else {
        return Ok(false);
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let refused =
        || ArtifactsUrlError::PlainHttp(format!("http://{}", authority.rsplit('@').next().unwrap_or_default()));
    if authority.contains('@') {
        return Err(ArtifactsUrlError::Credentials);
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let loopback = host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if loopback { Ok(true) } else { Err(refused()) }
}

impl ArtifactsUrl {
    /// The storage of a bucket, with the credentials of the environment: its variables, a container's or machine's
    /// metadata service, or a file that they name. `None` for a directory, which needs none.
    ///
    /// # Errors
    /// [`ArtifactsUrlError::PlainHttp`], [`ArtifactsUrlError::Settings`].
    pub fn remote(&self, runtime: Handle) -> Result<Option<RemoteBackend>, ArtifactsUrlError> {
        let Self::Bucket { service, bucket, prefix } = self else { return Ok(None) };
        let settings = |error: object_store::Error| ArtifactsUrlError::Settings(error.to_string());
        let store: Box<dyn ObjectStore> = match service {
            Service::S3 => {
                let builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry());
                let allow = plain(builder.get_config_value(&AmazonS3ConfigKey::Endpoint))?;
                // Large bodies are encrypted and authenticated already, and TLS protects them under way.
                let builder = builder.with_unsigned_payload(true);
                Box::new(builder.with_client_options(client(allow)).with_allow_http(allow).build().map_err(settings)?)
            }
            Service::Google => {
                let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_retry(retry());
                let allow = plain(builder.get_config_value(&GoogleConfigKey::BaseUrl))?;
                Box::new(builder.with_client_options(client(allow)).build().map_err(settings)?)
            }
            Service::Azure => {
                let builder = MicrosoftAzureBuilder::from_env().with_container_name(bucket).with_retry(retry());
                let allow = plain(builder.get_config_value(&AzureConfigKey::Endpoint))?;
                // The emulator is spoken to in plain text, wherever this variable says that it is.
                let emulated = builder.get_config_value(&AzureConfigKey::UseEmulator).as_deref() == Some("true");
                let allow =
                    allow || (emulated && plain(std::env::var("AZURITE_BLOB_STORAGE_URL").ok()).map(|_| true)?);
                Box::new(builder.with_client_options(client(allow)).with_allow_http(allow).build().map_err(settings)?)
            }
        };
        let prefix = Path::parse(prefix).map_err(|error| ArtifactsUrlError::Settings(error.to_string()))?;
        Ok(Some(RemoteBackend::new(store, prefix, self.to_string(), runtime)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_bucket_or_a_directory_and_nothing_else() {
        for text in ["s3://bucket", "s3://bucket/some/prefix", "gs://b/p", "az://c/p", "file:///var/lib/x"] {
            assert_eq!(text.parse::<ArtifactsUrl>().unwrap().to_string(), text);
        }
        assert_eq!("s3://b/p/".parse::<ArtifactsUrl>().unwrap().to_string(), "s3://b/p");
        for text in [
            "",
            "s3:",
            "s3://",
            "s3:///x",
            "http://x/y",
            "file://x",
            "file:///",
            "file:///a?b",
            "s3://b/../x",
            "s3://b//x",
            "s3://b/x y",
            "s3://b/%2e%2e",
            "memory://",
            "/var/lib",
            "s3://b\\x",
            "file:///a%2fb",
        ] {
            assert!(matches!(text.parse::<ArtifactsUrl>(), Err(ArtifactsUrlError::Malformed(_))), "{text}");
        }
        for text in ["s3://key:secret@bucket/x", "s3://b/x?secret=y", "gs://u@b"] {
            let error = text.parse::<ArtifactsUrl>().unwrap_err();
            assert!(matches!(error, ArtifactsUrlError::Credentials), "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback() {
        let ask = |text: &str| plain(Some(text.to_owned()));
        for text in ["http://127.0.0.1:9000", "http://localhost", "HTTP://[::1]:1/x", "http://127.8.8.8"] {
            assert!(ask(text).unwrap(), "{text}");
        }
        for text in ["https://s3.example", "https://127.0.0.1"] {
            assert!(!ask(text).unwrap(), "{text}");
        }
        assert!(!plain(None).unwrap());
        for text in [
            "http://s3.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example:9000",
            "http://10.0.0.1",
            "http://",
            "http://[::2]",
        ] {
            assert!(matches!(ask(text), Err(ArtifactsUrlError::PlainHttp(_))), "{text}");
        }
        let error = ask("http://user:secret@127.0.0.1").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
