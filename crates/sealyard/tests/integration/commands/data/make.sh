#!/bin/sh
# Makes an authority and a signer's certificate for the tests of `sign --certificate`. Nothing trusts these keys.
set -eu
openssl ecparam -genkey -name prime256v1 -noout -out root.key
openssl req -x509 -new -key root.key -sha256 -days 36500 -subj "/CN=Test authority" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign -out root.pem
openssl ecparam -genkey -name prime256v1 -noout -out signer.key
openssl req -new -key signer.key -subj "/CN=Test signer" -out signer.csr
printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n' > signer.ext
openssl x509 -req -in signer.csr -CA root.pem -CAkey root.key -set_serial 2 -sha256 -days 36500 -extfile signer.ext -out signer.pem
rm root.key signer.csr signer.ext
