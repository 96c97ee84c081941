/**
 * A certificate for localhost and hub.invalid that nobody but the tests trusts. Made with: openssl req -x509 -newkey ec
 * -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost
 * -addext subjectAltName=DNS:localhost,DNS:hub.invalid,IP:127.0.0.1
 */
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgaRdr3BnNF3/WMPr0
rzrmVJhTL/Vv3aG/jU1Srw1ZjV+hRANCAAQ5fWflLbuKyg5WXLfo9SlFDbv4w0XY
nTcAeKqU5riGRLV3j+oOEXoBnw2pNWV6wh3dZc8INMny3XhYYWZ2IQC6
-----END PRIVATE KEY-----
`;

export const cert = `-----BEGIN CERTIFICATE-----
MIIBpzCCAU6gAwIBAgIUT7rohlMblBVYFzjG80OC8Da4PDEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTIwMTE0MzUzNFoYDzIxMjYxMTA3
MTQzNTM0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ5fWflLbuKyg5WXLfo9SlFDbv4w0XYnTcAeKqU5riGRLV3j+oOEXoB
nw2pNWV6wh3dZc8INMny3XhYYWZ2IQC6o3wwejAdBgNVHQ4EFgQUR+X0nwbR5Ly2
i5JUnmuaQI5nwZcwHwYDVR0jBBgwFoAUR+X0nwbR5Ly2i5JUnmuaQI5nwZcwDwYD
VR0TAQH/BAUwAwEB/zAnBgNVHREEIDAegglsb2NhbGhvc3SCC2h1Yi5pbnZhbGlk
hwR/AAABMAoGCCqGSM49BAMCA0cAMEQCIHNWySy3GX/LyD/J5OvnjOP2eGXUho8T
gdhvL1RWQ5FwAiBVGsKkw3wDLSYo+WX4+NNCE4qgiOqoxzA1ETRMnpCbyg==
-----END CERTIFICATE-----
`;
