

xPlaceholder
=
dDebugIdentityV2x*$

debug_urls
grpc://localhost:1"Ú