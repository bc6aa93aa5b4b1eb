//! TLS of what listens: certificate and key from files, read again when they change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use engine::EngineError;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

/// A certificate and its key, as the files hold them now.
#[derive(Debug)]
pub(crate) struct Tls {
    section: &'static str,
    certificate: PathBuf,
    key: PathBuf,
    current: Arc<Current>,
    seen: Mutex<[Stamp; 2]>,
    config: Arc<ServerConfig>,
}

/// When a file was changed, and how long it is; none where it can't be looked at.
type Stamp = Option<(SystemTime, u64)>;

/// What new connections are shown.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// Reads the files. `section` is that of the configuration, for messages, e.g. `serve.tls`; `protocols` are offered
    /// by ALPN, none where clients don't ask.
    ///
    /// # Errors
    /// [`EngineError::Input`] that names the file: one that can't be read, that holds no certificate or key as PEM, or a
    /// key of another certificate.
    pub(crate) fn open(
        section: &'static str,
        certificate: &Path,
        key: &Path,
        protocols: &[&str],
    ) -> Result<Self, EngineError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let stamps = [stamp(certificate), stamp(key)];
        let read = read(section, certificate, key, &provider)?;
        let current = Arc::new(Current(RwLock::new(Arc::new(read))));
        let wrong = |error: rustls::Error| EngineError::Input(format!("{section}: {error}"));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Current>::clone(&current);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(wrong)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Self {
            section,
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current,
            seen: Mutex::new(stamps),
            config: Arc::new(config),
        })
    }

    /// Does the handshakes of accepted connections, with what the files hold then.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Reads the files again where one has changed; true where another certificate is shown from now on.
    ///
    /// # Errors
    /// As [`Tls::open`]; the certificate shown before stays then. The files are read again at the next call, because
    /// one of them may have been replaced before the other.
    pub(crate) fn refresh(&self) -> Result<bool, EngineError> {
        let stamps = [stamp(&self.certificate), stamp(&self.key)];
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == stamps {
            return Ok(false);
        }
        let fresh = read(self.section, &self.certificate, &self.key, self.config.crypto_provider())?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        *seen = stamps;
        Ok(true)
    }
}

fn stamp(path: &Path) -> Stamp {
    let data = std::fs::metadata(path).ok()?;
    Some((data.modified().ok()?, data.len()))
}

fn read(
    section: &str,
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, EngineError> {
    let wrong = |name: &str, path: &Path, what: &str| {
        EngineError::Input(format!("{section}.{name} names {}, which {what}", path.display()))
    };
    let unread = |name: &str, path: &Path, error: &pem::Error| match error {
        pem::Error::Io(error) => wrong(name, path, &format!("can't be read: {error}")),
        pem::Error::NoItemsFound => {
            let (what, begin) =
                if name == "key" { ("private key", "PRIVATE KEY") } else { ("certificate", "CERTIFICATE") };
            wrong(name, path, &format!("holds no {what} as PEM (-----BEGIN {begin}-----)"))
        }
        other => wrong(name, path, &format!("is no PEM: {other}")),
    };
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain: Vec<CertificateDer<'static>> =
        chain.map_err(|error| unread("certificate", certificate, &error))?;
    if chain.is_empty() {
        return Err(unread("certificate", certificate, &pem::Error::NoItemsFound));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unread("key", key, &error))?;
    CertifiedKey::from_der(chain, private, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            let of = format!("is not the key of the first certificate in {}", certificate.display());
            wrong("key", key, &of)
        }
        rustls::Error::InvalidCertificate(_) => {
            wrong("certificate", certificate, &format!("holds a certificate that can't be used: {error}"))
        }
        other => wrong("key", key, &format!("holds a key that can't be used: {other}")),
    })
}
