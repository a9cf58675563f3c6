# Varnish beside siteserver, as it comes: its own rules for what is kept. It writes no log by itself.
# benches/proxies.rs puts in HOST and PORT.
vcl 4.1;

backend origin {
    .host = "HOST";
    .port = "PORT";
    .max_connections = 64;
}
