//! Tests of the whole floor: the language, the escaping, what is read, and hostile input.

mod differential;
mod escaping;
mod golden;
mod hostile;
mod language;
mod linking;
mod links;
mod needs;
mod origins;
mod partials;
mod places;
mod shapes;
mod support;
mod tokens;
mod trial;
