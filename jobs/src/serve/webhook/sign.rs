//! Signatures in the manner of Standard Webhooks (<https://www.standardwebhooks.com>): HMAC-SHA256 over id, time and body.

use engine::EngineError;
use ring::hmac;

use super::base64;
use crate::config::Webhook;

/// What secrets may begin with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Signs for one subscriber.
#[derive(Debug)]
pub(super) struct Signer(hmac::Key);

impl Signer {
    /// Reads the secret.
    ///
    /// # Errors
    /// [`EngineError::Input`] where it isn't where it is said to be, or is no base64 of 24 to 64 bytes.
    pub(super) fn of(settings: &Webhook) -> Result<Self, EngineError> {
        let text = settings.secret()?;
        let text = text.trim();
        let bytes = base64::decode(text.strip_prefix(PREFIX).unwrap_or(text));
        let bytes = bytes.filter(|bytes| BYTES.contains(&bytes.len())).ok_or_else(|| {
            EngineError::Input(format!(
                "serve.webhook {}: secret: it must be 24 to 64 bytes as base64, with or without {PREFIX} before it; \
                 `openssl rand -base64 32` makes one",
                settings.name
            ))
        })?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The value of `webhook-signature`.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{seconds}.").as_bytes());
        context.update(body);
        format!("v1,{}", base64::encode(context.sign().as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // The example of the specification's reference libraries.
        let bytes = base64::decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signer = Signer(hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        let signature =
            signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
