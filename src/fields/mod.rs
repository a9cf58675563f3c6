//! HTTP header fields: parsing, writing and the verdicts they give (RFC 9110, 9111, 9211, 9213, 9651).
//!
//! One file per field or rule set, pure functions of bytes and values. Nothing here reads a clock, a socket or a file, and nothing
//! knows of sites or routes. What every hit needs ([`negotiate`], [`precondition()`], [`EntityTag`]) allocates nothing.
//!
//! A new field is a file of its own, its section in the head of the file, its door here.

mod age;
mod cache_control;
mod cache_status;
mod coding;
mod connection;
mod content_security_policy;
mod cookie;
mod credential;
mod date;
mod entity_tag;
mod forwarded;
mod language;
mod list;
mod media_type;
mod precondition;
mod range;
mod same_origin;
mod selecting;
mod structured;
mod vary;
mod weight;

pub use age::{parse_age, seconds};
pub use cache_control::{CacheControl, MaxStale, RequestCacheControl, Scope};
pub use cache_status::{CacheStatus, Forward, Outcome};
pub use coding::{Coding, negotiate};
pub use connection::{HOP_BY_HOP, connection_options, is_hop_by_hop, remove_hop_by_hop, takes_trailers};
pub use content_security_policy::{ContentSecurityPolicy, SourceError, check_source, digest_source};
pub use cookie::cookies;
pub use credential::{is_credential, is_of_person};
pub use date::{DATE_LENGTH, format_date, parse_date, parse_date_received};
pub use entity_tag::{EntityTag, TagList};
pub use forwarded::{ProxyError, TrustedProxies};
pub use language::{is_language_tag, negotiate_language};
pub use media_type::{MediaType, content_type_of, content_type_of_made, is_compressible, is_document, is_json};
pub use precondition::{Validators, Verdict, precondition};
pub use range::{ContentRange, RangeVerdict, Spec as RangeSpec, content_range, range, single_range, unsatisfied_range};
pub use same_origin::{Foreign, Home, Unsaid, same_origin};
pub use selecting::{preferred_language, selecting_form};
pub use structured::{BareItem, dictionary, string_list};
pub use vary::{varies_by, vary};
