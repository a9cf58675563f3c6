//! How long the long tests are: a tenth in an ordinary run, whole in `script/prove`.

/// Whether this run is a whole proof.
pub(crate) fn is_full() -> bool {
    std::env::var_os("SITESERVER_PROVE").is_some()
}
