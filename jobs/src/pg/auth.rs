//! Letting a user in: SCRAM-SHA-256, with a password that nobody sees.

use std::fmt;

use engine::EngineError;
use pgwire::api::auth::Password;
use pgwire::api::auth::sasl::scram::{SCRAM_ITERATIONS, ScramServerAuth, gen_salted_password};
use pgwire::error::PgWireError;
use pgwire::messages::startup::Authentication;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::failure::Failure;
use super::wire::{Broken, GREETING_BYTES_MAX, Wire};
use crate::config::{Pg, secret};

/// The one way of asking for a password.
const MECHANISM: &str = "SCRAM-SHA-256";

/// The user who is let in, with the password as SCRAM keeps it.
pub(super) struct Account {
    user: String,
    salted: Vec<u8>,
    /// What salts are made of, so that a user who isn't there has one too.
    seed: [u8; 32],
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Account {
    /// The user of the settings; none where there is none.
    ///
    /// # Errors
    /// [`EngineError::Input`] where the password isn't where it is said to be, or is empty.
    pub(super) fn open(settings: &Pg) -> Result<Option<Self>, EngineError> {
        if settings.user.is_empty() {
            return Ok(None);
        }
        let password = secret("serve.pg.password", &settings.password)?;
        if password.is_empty() {
            return Err(EngineError::Input("serve.pg.password: an empty password lets nobody in".to_owned()));
        }
        let mut seed = [0; 32];
        SystemRandom::new()
            .fill(&mut seed)
            .map_err(|_| EngineError::Lake("the system has no random bits".to_owned()))?;
        let mut account = Self { user: settings.user.clone(), salted: Vec::new(), seed };
        account.salted = gen_salted_password(&password, &account.salt(&account.user), SCRAM_ITERATIONS);
        Ok(Some(account))
    }

    fn salt(&self, user: &str) -> [u8; 16] {
        let mut salt = [0; 16];
        salt.copy_from_slice(&blake3::keyed_hash(&self.seed, user.as_bytes()).as_bytes()[..16]);
        salt
    }

    /// The password of a user; of one who isn't there, one that nobody knows.
    fn password(&self, user: &str) -> Password {
        let salted = if user == self.user {
            self.salted.clone()
        } else {
            blake3::keyed_hash(&self.seed, format!("nobody {user}").as_bytes()).as_bytes().to_vec()
        };
        Password::new(Some(self.salt(user).to_vec()), salted)
    }

    /// Asks for the password.
    ///
    /// # Errors
    /// Where it is another one, or the client breaks off.
    pub(super) async fn ask(&self, user: &str, wire: &mut Wire) -> Result<(), Broken> {
        let told = |failure: Failure| Broken::Told(failure.fatal());
        let refused = |error: PgWireError| {
            told(match error {
                PgWireError::InvalidPassword(_) => wrong_password(user),
                other => Failure::new("28P01", format!("authentication failed: {other}")),
            })
        };
        wire.send(authentication(Authentication::SASL(vec![MECHANISM.to_owned()]))).await?;
        wire.flush().await?;
        let first = answer(wire).await?.into_sasl_initial_response().map_err(refused)?;
        let (Some(first_data), MECHANISM) = (&first.data, first.auth_method.as_str()) else {
            return Err(told(Failure::new("28000", format!("{MECHANISM} is the one way in"))));
        };
        let (question, waiting) = ScramServerAuth::new()
            .on_client_first_message(first_data, self.password(user))
            .map_err(refused)?;
        wire.send(authentication(Authentication::SASLContinue(question.into()))).await?;
        wire.flush().await?;
        let last = answer(wire).await?.into_sasl_response().map_err(refused)?;
        let proof = waiting.on_client_final_message(&last.data).map_err(refused)?;
        if user != self.user {
            return Err(told(wrong_password(user)));
        }
        wire.send(authentication(Authentication::SASLFinal(proof.into()))).await
    }
}

fn wrong_password(user: &str) -> Failure {
    Failure::new("28P01", format!("password authentication failed for user \"{user}\""))
}

fn authentication(step: Authentication) -> PgWireBackendMessage {
    PgWireBackendMessage::Authentication(step)
}

async fn answer(wire: &mut Wire) -> Result<pgwire::messages::startup::PasswordMessageFamily, Broken> {
    match wire.read(GREETING_BYTES_MAX).await? {
        Some(PgWireFrontendMessage::PasswordMessageFamily(answer)) => Ok(answer),
        Some(_) => Err(Broken::Told(Failure::protocol("a password was expected"))),
        None => Err(Broken::Gone),
    }
}
