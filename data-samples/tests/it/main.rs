//! Worlds written to a temporary folder and read back.

#[cfg(test)]
mod dirt;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod truth;
#[cfg(test)]
mod world;
