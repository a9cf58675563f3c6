//! Whom calls trust: the certificate roots of this machine, and those that come with this program for machines that have none.
//!
//! They are read when the first server shows its certificate, once for all clients: a site that calls nobody by TLS does not pay for
//! them, in time or in memory. Verifying itself is the library's; nothing of it is ours.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;
use std::sync::{Arc, OnceLock};

/// TLS as calls speak it: 1.2 and 1.3, servers verified.
pub(super) fn tls() -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = Roots { provider: Arc::clone(&provider), verifier: OnceLock::new() };
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.dangerous().with_custom_certificate_verifier(Arc::new(roots)).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Verifies servers as the library does with the roots of the machine and ours.
#[derive(Debug)]
struct Roots {
    provider: Arc<CryptoProvider>,
    /// Why it could not be made is said each time: nobody is trusted then.
    verifier: OnceLock<Result<Verifier, Error>>,
}

impl Roots {
    fn verifier(&self) -> Result<&Verifier, Error> {
        let made = self.verifier.get_or_init(|| {
            let ours = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned();
            Verifier::new_with_extra_roots(ours, Arc::clone(&self.provider))
        });
        made.as_ref().map_err(Error::clone)
    }
}

impl ServerCertVerifier for Roots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_that_come_with_the_program_are_accepted() {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = Roots { provider, verifier: OnceLock::new() };
        assert!(roots.verifier().is_ok());
    }
}
