//! Encryption by a certificate and a key of the configuration.

use std::path::Path;
use std::sync::Arc;

use engine::EngineError;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Reads certificate and key.
///
/// # Errors
/// [`EngineError::Input`] where a file can't be read, holds nothing, or the key is of another certificate.
pub(super) fn config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, EngineError> {
    let wrong = |setting: &str, path: &Path, problem: &dyn std::fmt::Display| {
        EngineError::Input(format!("{setting}: {} can't be used: {problem}", path.display()))
    };
    let of_certificate =
        |problem: &dyn std::fmt::Display| wrong("serve.pg.certificate", certificate, problem);
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| of_certificate(&error))?;
    if chain.is_empty() {
        return Err(of_certificate(&"it holds no certificate in PEM form"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong("serve.pg.key", key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| of_certificate(&error))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| of_certificate(&error))?;
    Ok(Arc::new(config))
}
