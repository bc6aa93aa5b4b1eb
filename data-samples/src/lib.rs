//! The seeded generator of every input stream, with the truth behind it, and builders for tests.
//!
//! [`generate()`] writes a world of a given [`Scale`]: a company with regions, reps, customers and a market, whose
//! leads, opportunities, deals and orders follow known laws, and whose files are as dirty as real ones. What
//! the laws were is written beside the streams, so that a model can be held to them. [`build`] makes single
//! records for tests.
//!
//! ```
//! use data_samples::build::Event;
//! let line = Event::new("call.connected").rep("r1").customer("c1").to_json();
//! assert!(line.starts_with(r#"{"event_id":"#));
//! ```

mod error;
mod number;

mod clock;
mod draw;
mod scale;

mod event;
mod kind;
mod world;

mod dirt;
mod generate;
mod life;
mod truth;
mod write;

pub mod build;

pub use dirt::DirtCounts;
pub use error::GenerateError;
pub use generate::{Progress, generate};
pub use scale::{Dirt, Scale, sample_scale};
pub use truth::Summary;
pub use write::Format;
