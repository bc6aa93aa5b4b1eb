//! Tests of the SQL that analysts get, at the boundary of a session.

#[cfg(test)]
mod differential;
#[cfg(test)]
mod index;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod score;
#[cfg(test)]
mod world;
