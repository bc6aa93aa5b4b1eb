//! The command as its users meet it, and the rules that the tree of this repository keeps.

mod command;
mod demo;
mod tidy;
mod tool;
