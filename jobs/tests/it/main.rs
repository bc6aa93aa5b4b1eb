//! The command as its users meet it, and the rules that the tree of this repository keeps.

#[cfg(test)]
mod backtest;
#[cfg(test)]
mod broker;
#[cfg(test)]
mod command;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod guarantees;
#[cfg(test)]
mod kafka;
#[cfg(test)]
mod kafka_avro;
#[cfg(test)]
mod kafka_messages;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod lake;
#[cfg(test)]
mod live;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod model;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod pg;
#[cfg(test)]
mod posted;
#[cfg(test)]
mod quality;
#[cfg(test)]
mod route;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod steer;
#[cfg(test)]
mod suggest;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod tool;
#[cfg(test)]
mod trace;
#[cfg(test)]
mod train;
#[cfg(test)]
mod world;
