//! An identity provider, and a service provider that trusts it.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::{FixedClock, FixedRng, Redacted, Timestamp};
use sealyard_identity_saml::{Finished, Provider, SamlError, StateKey};

pub(crate) const IDP: &str = "https://idp.example.org/";
pub(crate) const SP: &str = "https://sealyard.example.org/saml";
pub(crate) const ACS: &str = "https://sealyard.example.org/auth/saml/corp/acs";
pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub(crate) const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// 2026-11-28T00:00:00Z.
pub(crate) const NOW: i64 = 1_795_824_000_000;

pub(crate) struct Signer {
    pub(crate) certificate: String,
    pkcs8: Vec<u8>,
    rsa: bool,
}

impl Signer {
    fn new(rsa: bool) -> Self {
        let algorithm = if rsa { &rcgen::PKCS_RSA_SHA256 } else { &rcgen::PKCS_ECDSA_P256_SHA256 };
        let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let certificate = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&pair).unwrap().pem();
        Self { certificate, pkcs8: pair.serialize_der(), rsa }
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        if self.rsa { RSA_SHA256 } else { "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" }
    }

    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        if !self.rsa {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.pkcs8).unwrap();
            return pair.sign(&random, message).unwrap().as_ref().to_vec();
        }
        let pair = RsaKeyPair::from_pkcs8(&self.pkcs8).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        let padding = if algorithm.ends_with("sha512") { &RSA_PKCS1_SHA512 } else { &RSA_PKCS1_SHA256 };
        pair.sign(padding, &random, message, &mut signature).unwrap();
        signature
    }
}

pub(crate) static RSA: LazyLock<Signer> = LazyLock::new(|| Signer::new(true));
pub(crate) static EC: LazyLock<Signer> = LazyLock::new(|| Signer::new(false));
pub(crate) static STRANGER: LazyLock<Signer> = LazyLock::new(|| Signer::new(true));

/// Makes a signature's value in place of a signer.
pub(crate) type Forge = fn(&[u8]) -> Vec<u8>;

/// How something is signed; what a test does not change is right.
#[derive(Clone)]
pub(crate) struct Signing {
    pub(crate) signer: &'static Signer,
    pub(crate) algorithm: String,
    pub(crate) digest: String,
    pub(crate) canonicalisation: String,
    pub(crate) transforms: String,
    pub(crate) uri: Option<String>,
    /// Put after the reference.
    pub(crate) more: String,
    /// Signs in place of the signer.
    pub(crate) value: Option<Forge>,
    pub(crate) key_info: String,
}

pub(crate) fn transforms(second: &str) -> String {
    format!(
        "<ds:Transform Algorithm=\"{DS}enveloped-signature\"></ds:Transform><ds:Transform Algorithm=\"{second}\"></ds:Transform>"
    )
}

impl Signing {
    pub(crate) fn by(signer: &'static Signer) -> Self {
        Self {
            signer,
            algorithm: signer.algorithm().to_owned(),
            digest: SHA256.to_owned(),
            canonicalisation: EXCLUSIVE.to_owned(),
            transforms: transforms(EXCLUSIVE),
            uri: None,
            more: String::new(),
            value: None,
            key_info: String::new(),
        }
    }

    /// The `Signature` over `canonical`, which has this ID.
    pub(crate) fn signature(&self, canonical: &str, id: &str) -> String {
        let digest = if self.digest.ends_with("sha512") {
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, canonical.as_bytes())
        } else if self.digest.ends_with("#sha1") {
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, canonical.as_bytes())
        } else {
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical.as_bytes())
        };
        let uri = self.uri.clone().unwrap_or_else(|| format!("#{id}"));
        let inner = format!(
            "<ds:CanonicalizationMethod Algorithm=\"{}\"></ds:CanonicalizationMethod>\
             <ds:SignatureMethod Algorithm=\"{}\"></ds:SignatureMethod>\
             <ds:Reference URI=\"{uri}\"><ds:Transforms>{}</ds:Transforms><ds:DigestMethod Algorithm=\"{}\"></ds:DigestMethod>\
             <ds:DigestValue>{}</ds:DigestValue></ds:Reference>{}",
            self.canonicalisation,
            self.algorithm,
            self.transforms,
            self.digest,
            STANDARD.encode(digest),
            self.more,
        );
        let signed = format!("<ds:SignedInfo xmlns:ds=\"{DS}\">{inner}</ds:SignedInfo>");
        let value = match self.value {
            Some(value) => value(signed.as_bytes()),
            None => self.signer.sign(&self.algorithm, signed.as_bytes()),
        };
        format!(
            "<ds:Signature xmlns:ds=\"{DS}\"><ds:SignedInfo>{inner}</ds:SignedInfo>\
             <ds:SignatureValue>{}</ds:SignatureValue>{}</ds:Signature>",
            STANDARD.encode(value),
            self.key_info
        )
    }

    /// `canonical` with its signature after the issuer.
    pub(crate) fn sign(&self, canonical: &str, id: &str) -> String {
        let (before, after) = canonical.split_once("</saml:Issuer>").unwrap();
        format!("{before}</saml:Issuer>{}{after}", self.signature(canonical, id))
    }
}

/// What an assertion says; what a test does not change is right.
#[derive(Clone)]
pub(crate) struct Says {
    pub(crate) id: String,
    pub(crate) issuer: String,
    pub(crate) name: String,
    pub(crate) format: String,
    pub(crate) request: Option<String>,
    pub(crate) recipient: String,
    pub(crate) ends: Option<i64>,
    pub(crate) begins: i64,
    pub(crate) issued: i64,
    pub(crate) audience: Option<String>,
    pub(crate) condition: String,
    pub(crate) statement: String,
    pub(crate) groups: Vec<String>,
    pub(crate) method: String,
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW).plus_seconds(seconds)
}

impl Says {
    pub(crate) fn about(name: &str, request: Option<&str>) -> Self {
        Self {
            id: "_assertion".to_owned(),
            issuer: IDP.to_owned(),
            name: name.to_owned(),
            format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent".to_owned(),
            request: request.map(str::to_owned),
            recipient: ACS.to_owned(),
            ends: Some(300),
            begins: -10,
            issued: 0,
            audience: Some(SP.to_owned()),
            condition: String::new(),
            statement: format!(
                "<saml:AuthnStatement AuthnInstant=\"{}\" SessionIndex=\"s1\"></saml:AuthnStatement>",
                at(0)
            ),
            groups: vec!["ml".to_owned()],
            method: "urn:oasis:names:tc:SAML:2.0:cm:bearer".to_owned(),
        }
    }

    pub(crate) fn xml(&self) -> String {
        let request = self.request.as_ref().map(|id| format!(" InResponseTo=\"{id}\"")).unwrap_or_default();
        let ends = self.ends.map(|ends| format!(" NotOnOrAfter=\"{}\"", at(ends))).unwrap_or_default();
        let audience = self.audience.as_ref().map(|audience| {
            format!("<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>")
        });
        let groups: String =
            self.groups.iter().map(|group| format!("<saml:AttributeValue>{group}</saml:AttributeValue>")).collect();
        format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{}\" IssueInstant=\"{}\" Version=\"2.0\">\
             <saml:Issuer>{}</saml:Issuer><saml:Subject><saml:NameID Format=\"{}\">{}</saml:NameID>\
             <saml:SubjectConfirmation Method=\"{}\"><saml:SubjectConfirmationData{request}{ends} Recipient=\"{}\">\
             </saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>\
             <saml:Conditions NotBefore=\"{}\"{ends}>{}{}</saml:Conditions>{}\
             <saml:AttributeStatement><saml:Attribute Name=\"groups\">{groups}</saml:Attribute></saml:AttributeStatement>\
             </saml:Assertion>",
            self.id,
            at(self.issued),
            self.issuer,
            self.format,
            self.name,
            self.method,
            self.recipient,
            at(self.begins),
            audience.unwrap_or_default(),
            self.condition,
            self.statement,
        )
    }

    pub(crate) fn signed(&self) -> String {
        Signing::by(&RSA).sign(&self.xml(), &self.id)
    }
}

pub(crate) const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// A response around `inner`.
pub(crate) fn around(inner: &str, request: Option<&str>) -> String {
    response(inner, request, ACS, SUCCESS)
}

pub(crate) fn response(inner: &str, request: Option<&str>, destination: &str, status: &str) -> String {
    let request = request.map(|id| format!(" InResponseTo=\"{id}\"")).unwrap_or_default();
    format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" Destination=\"{destination}\" ID=\"_response\"{request} \
         IssueInstant=\"{}\" Version=\"2.0\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{IDP}</saml:Issuer>\
         <samlp:Status><samlp:StatusCode Value=\"{status}\"></samlp:StatusCode></samlp:Status>{inner}</samlp:Response>",
        at(0),
    )
}

/// A service provider, and a browser that began a log-in there.
pub(crate) struct Sp {
    pub(crate) provider: Provider,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) key: StateKey,
    pub(crate) cookie: String,
    pub(crate) request: String,
    pub(crate) relay: String,
}

impl Sp {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    pub(crate) fn with(more: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("idp.pem");
        std::fs::write(&path, format!("{}{}", RSA.certificate, EC.certificate)).unwrap();
        let settings = format!(
            "idp_entity_id = \"{IDP}\"\nsso_url = \"https://idp.example.org/sso\"\ncertificates_file = {path:?}\n\
             entity_id = \"{SP}\"\nacs_url = \"{ACS}\"\ngroups_attribute = \"groups\"\nadministrators = [\"root\"]\n{more}"
        );
        let clock = Arc::new(FixedClock::at(at(0)));
        let settings = toml::from_str(&settings).unwrap();
        let provider = Provider::open("corp", settings, clock.clone(), Arc::new(FixedRng::seeded(7))).unwrap();
        let key = StateKey::new(Redacted::new([3; 32]));
        let begun = provider.begin(&key, "/#/models").unwrap();
        let cookie = begun.cookie.expose().clone();
        let (request, relay) = read_redirect(&begun.url);
        Self { provider, clock, key, cookie, request, relay }
    }

    pub(crate) fn finish(&self, message: &str) -> Result<Finished, SamlError> {
        let message = STANDARD.encode(message);
        self.provider.finish(&self.key, Some(&self.cookie), &message, Some(&self.relay))
    }

    /// Finishes with an assertion in a response that both answer this browser's request.
    pub(crate) fn finish_assertion(&self, assertion: &str) -> Result<Finished, SamlError> {
        self.finish(&around(assertion, Some(&self.request)))
    }

    /// As the provider says it, about `name`.
    pub(crate) fn says(&self, name: &str) -> Says {
        Says::about(name, Some(&self.request))
    }

    pub(crate) fn refuses(&self, message: &str, rule: &str) -> String {
        match self.finish(message) {
            Err(error) => {
                assert_eq!(error.rule, rule, "{}", error.what);
                error.what
            }
            Ok(finished) => panic!("let in: {:?}", finished.person),
        }
    }
}

/// The request's id and the relay state of a redirect.
pub(crate) fn read_redirect(url: &str) -> (String, String) {
    use std::io::Read as _;
    let query = url.split_once('?').unwrap().1;
    let field = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap();
        percent_encoding::percent_decode_str(value).decode_utf8().unwrap().into_owned()
    };
    let mut xml = String::new();
    let deflated = STANDARD.decode(field("SAMLRequest")).unwrap();
    flate2::read::DeflateDecoder::new(&deflated[..]).read_to_string(&mut xml).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("AssertionConsumerServiceURL"), Some(ACS));
    (root.attribute("ID").unwrap().to_owned(), field("RelayState"))
}
