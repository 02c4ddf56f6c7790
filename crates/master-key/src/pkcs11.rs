use std::path::PathBuf;
use std::sync::Arc;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Module};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use futures::future::{BoxFuture, FutureExt as _};
use sealyard_core::{Redacted, Rng};
use sealyard_vault::KeyId;
use zeroize::Zeroizing;

use crate::{MasterKey, MasterKeyError, context};

const NONCE: usize = 12;
const TAG_BITS: u64 = 128;

/// Which key of which token.
#[derive(Debug, Clone)]
pub struct Pkcs11Config {
    /// The vendor's library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The label of an AES key on it, which need not be extractable.
    pub key: String,
    /// The user's PIN.
    pub pin: Redacted<String>,
}

/// An AES key on a token or HSM: it encrypts there with AES-GCM.
#[derive(Debug, Clone)]
pub struct Pkcs11 {
    config: Arc<Pkcs11Config>,
    rng: Arc<dyn Rng>,
}

impl Pkcs11 {
    /// Says nothing to the token yet.
    #[must_use]
    pub fn new(config: Pkcs11Config, rng: Arc<dyn Rng>) -> Self {
        Self { config: Arc::new(config), rng }
    }

    fn failed(&self, error: Error) -> MasterKeyError {
        let (provider, problem) = (self.name(), error.to_string());
        match error {
            Error::Pkcs11(RvError::PinIncorrect | RvError::PinLocked | RvError::PinExpired, _) => {
                MasterKeyError::Refused { provider, problem: "the PIN is not the token's, or is locked".to_owned() }
            }
            Error::Pkcs11(
                RvError::KeyFunctionNotPermitted
                | RvError::MechanismInvalid
                | RvError::KeyTypeInconsistent
                | RvError::KeySizeRange,
                _,
            ) => MasterKeyError::Refused { provider, problem: "the key can't encrypt with AES-GCM".to_owned() },
            Error::Pkcs11(
                RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange | RvError::GeneralError,
                _,
            ) => MasterKeyError::Wrong { provider },
            _ => MasterKeyError::Unavailable { provider, problem },
        }
    }

    /// Runs `work` in a session of its own: none is kept open for what is done a few times in a server's life.
    fn with_key<T>(&self, work: impl FnOnce(&Session, ObjectHandle) -> Result<T, Error>) -> Result<T, MasterKeyError> {
        let failed = |error| self.failed(error);
        let module = Module::new(&self.config.module).map_err(|error| MasterKeyError::Setting {
            provider: self.name(),
            problem: format!("the module {} can't be loaded: {error}", self.config.module.display()),
        })?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(failed(error)),
        }
        let mut found = None;
        for slot in module.get_slots_with_token().map_err(failed)? {
            if module.get_token_info(slot).is_ok_and(|token| token.label() == self.config.token) {
                found = Some(slot);
            }
        }
        let slot = found.ok_or_else(|| MasterKeyError::Unavailable {
            provider: self.name(),
            problem: format!("there is no token called {:?}", self.config.token),
        })?;
        let session = module.open_ro_session(slot).map_err(failed)?;
        let pin = AuthPin::new(self.config.pin.expose().clone().into());
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(failed(error)),
        }
        let wanted = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Label(self.config.key.as_bytes().to_vec()),
        ];
        let keys = session.find_objects(&wanted).map_err(failed)?;
        let key = match keys.as_slice() {
            [key] => *key,
            keys => {
                return Err(MasterKeyError::Refused {
                    provider: self.name(),
                    problem: format!("the token has {} AES keys called {:?}, not one", keys.len(), self.config.key),
                });
            }
        };
        work(&session, key).map_err(failed)
    }

    fn wrap_now(&self, id: KeyId, key: &Redacted<[u8; 32]>) -> Result<Vec<u8>, MasterKeyError> {
        let mut nonce = self.rng.bytes::<NONCE>();
        let kept = nonce;
        let aad = context(id);
        let sealed = self.with_key(|session, master| {
            let mechanism = Mechanism::AesGcm(GcmParams::new(&mut nonce, aad.as_bytes(), TAG_BITS.into())?);
            session.encrypt(&mechanism, master, key.expose())
        })?;
        Ok([kept.as_slice(), &sealed].concat())
    }

    fn unwrap_now(&self, id: KeyId, wrapped: &[u8]) -> Result<Redacted<[u8; 32]>, MasterKeyError> {
        let wrong = || MasterKeyError::Wrong { provider: self.name() };
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE>().ok_or_else(wrong)?;
        let mut nonce = *nonce;
        let aad = context(id);
        let plain = Zeroizing::new(self.with_key(|session, master| {
            let mechanism = Mechanism::AesGcm(GcmParams::new(&mut nonce, aad.as_bytes(), TAG_BITS.into())?);
            session.decrypt(&mechanism, master, sealed)
        })?);
        plain.as_slice().try_into().map(Redacted::new).map_err(|_| wrong())
    }
}

/// The module's calls wait for a device.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MasterKeyError> + Send + 'static,
) -> Result<T, MasterKeyError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| MasterKeyError::Unavailable { provider: "pkcs11".to_owned(), problem: error.to_string() })?
}

impl MasterKey for Pkcs11 {
    fn name(&self) -> String {
        format!("pkcs11 {}/{}", self.config.token, self.config.key)
    }

    fn wrap<'a>(&'a self, id: KeyId, key: &'a Redacted<[u8; 32]>) -> BoxFuture<'a, Result<Vec<u8>, MasterKeyError>> {
        let (this, key) = (self.clone(), key.clone());
        apart(move || this.wrap_now(id, &key)).boxed()
    }

    fn unwrap<'a>(&'a self, id: KeyId, wrapped: &'a [u8]) -> BoxFuture<'a, Result<Redacted<[u8; 32]>, MasterKeyError>> {
        let (this, wrapped) = (self.clone(), wrapped.to_vec());
        apart(move || this.unwrap_now(id, &wrapped)).boxed()
    }
}
