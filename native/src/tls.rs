//! Who the peer is. The relay demands a certificate and takes any, whose key is proven: who it is, is admission's
//! business. The client checks the relay's by CA and name, against one certificate, or not at all.
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};

pub type Problem = Box<dyn std::error::Error + Send + Sync>;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Problem> {
    Ok(CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>()?)
}

pub struct Identity<'a> {
    pub cert: &'a str,
    pub key: &'a str,
    pub alpn: &'a str,
}

impl Identity<'_> {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Problem> {
        Ok((certificates(self.cert)?, PrivateKeyDer::from_pem_slice(self.key.as_bytes())?))
    }
}

pub enum Trust<'a> {
    /// PEM of the CAs.
    Ca(&'a str),
    /// PEM of the one certificate, or of the CA that has issued it; the name does not matter.
    Pinned(&'a str),
    Unchecked,
}

pub fn server(identity: &Identity<'_>) -> Result<ServerConfig, Problem> {
    let (chain, key) = identity.read()?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(AnyClient(provider())))
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![identity.alpn.as_bytes().to_vec()];
    config.send_tls13_tickets = 0;
    Ok(config)
}

pub fn client(identity: &Identity<'_>, trust: &Trust<'_>) -> Result<ClientConfig, Problem> {
    let (chain, key) = identity.read()?;
    let check = match trust {
        Trust::Ca(pem) => {
            let mut roots = RootCertStore::empty();
            // One that can't be read is no reason to do without the others.
            roots.add_parsable_certificates(certificates(pem)?);
            Check::Ca(WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build()?)
        }
        Trust::Pinned(pem) => {
            let pin = certificates(pem)?.into_iter().next().ok_or("there is no certificate to compare with")?;
            Check::Pin(pin)
        }
        Trust::Unchecked => Check::Nothing,
    };
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Relay { provider: provider(), check }))
        .with_client_auth_cert(chain, key)?;
    config.alpn_protocols = vec![identity.alpn.as_bytes().to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn only_tls13() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::General("QUIC has TLS 1.3 only".into()))
}

#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        only_tls13()
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[derive(Debug)]
enum Check {
    Ca(Arc<WebPkiServerVerifier>),
    Pin(CertificateDer<'static>),
    Nothing,
}

/// The relay, whose key is proven in any case.
#[derive(Debug)]
struct Relay {
    provider: Arc<CryptoProvider>,
    check: Check,
}

impl Relay {
    fn is_pinned(
        &self,
        pin: &CertificateDer<'static>,
        cert: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        if pin == cert {
            return Ok(());
        }
        let mut roots = RootCertStore::empty();
        roots.add(pin.clone())?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        let parsed = ParsedCertificate::try_from(cert)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &roots, intermediates, now, algorithms)
    }
}

impl ServerCertVerifier for Relay {
    fn verify_server_cert(
        &self,
        cert: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let result = match &self.check {
            Check::Nothing => Ok(()),
            Check::Pin(pin) => self.is_pinned(pin, cert, intermediates, now),
            Check::Ca(verifier) => verifier.verify_server_cert(cert, intermediates, name, ocsp, now).map(|_| ()),
        };
        match result {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            // An issuer of the right name with another key: TLS has an alert for it that says something else to people.
            Err(Error::InvalidCertificate(CertificateError::BadSignature)) => {
                Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
            }
            Err(error) => Err(error),
        }
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        only_tls13()
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
