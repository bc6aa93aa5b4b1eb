//! The core's tests at its boundary: files in, tables out.

#[cfg(test)]
mod ingest;
#[cfg(test)]
mod learnt;
#[cfg(test)]
mod live;
#[cfg(test)]
mod pace;
