//! Bodies to values: formats, `JSONPath` (RFC 9535), types, defaults.
//!
//! Pure: a body and a declaration in, a value or a reason out.
