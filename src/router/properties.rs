//! Properties that hold for every target and every pattern.
