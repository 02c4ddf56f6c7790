#!/bin/sh
# Signs models with Sealyard and with the reference, `model-signing`, and verifies each with the other.
#
#   PYTHON   a Python with model-signing==1.1.1 and pyopenssl
#   SEALYARD the program to test: `sealyard` (commands `sign` and `verify model`), or the crate's example `oms`
#            (cargo build -p sealyard-evidence --example oms; then target/debug/examples/oms)
#
# Ends with 0 when every signature that should verify does, and every one that should not doesn't.
set -eu

: "${PYTHON:?names a Python that has model-signing==1.1.1 and pyopenssl}"
: "${SEALYARD:?names the sealyard binary or the example program oms}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

model=$work/modèle
mkdir -p "$model/a/deep/er" "$model/sub" "$model/.git"
printf '{}' >"$model/config.json"
printf 'one' >"$model/a/b"
printf 'two' >"$model/a.b"
printf 'three' >"$model/a-b"
: >"$model/sub/empty.txt"
printf 'é' >"$model/sub/tok é.json"
printf '語' >"$model/a/deep/er/日本語 \"quoted\".txt"
head -c 3000000 /dev/urandom >"$model/weights.safetensors"
printf '*.tmp' >"$model/.gitignore"
printf 'ref' >"$model/.git/HEAD"

case ${SEALYARD##*/} in
sealyard*)
    ours_sign() { "$SEALYARD" sign "$1" --key "$2" --signature "$3"; }
    ours_sign_certificate() { "$SEALYARD" sign "$1" --key "$2" --certificate "$4" --signature "$3"; }
    ours_verify() { "$SEALYARD" verify model "$1" --signature "$2" --key "$3"; }
    ours_verify_certificate() { "$SEALYARD" verify model "$1" --signature "$2" --certificate-chain "$3"; }
    ;;
*)
    ours_sign() { "$SEALYARD" sign "$1" "$2" "$3"; }
    ours_sign_certificate() { "$SEALYARD" sign "$1" "$2" "$3" "$4"; }
    ours_verify() { "$SEALYARD" verify "$1" "$2" key "$3"; }
    ours_verify_certificate() { "$SEALYARD" verify "$1" "$2" roots "$3"; }
    ;;
esac
theirs() { "$PYTHON" -m model_signing "$@"; }

failed=0
expect() { # expect yes|no WHAT COMMAND…
    wanted=$1 what=$2
    shift 2
    if "$@" >out 2>&1; then got=yes; else got=no; fi
    if [ "$got" = "$wanted" ]; then
        echo "ok      $what"
    else
        echo "FAILED  $what: expected $wanted"
        sed 's/^/        /' out
        failed=1
    fi
}

for curve in prime256v1 secp384r1 secp521r1; do
    openssl ecparam -name "$curve" -genkey -noout -out "$curve.key"
    openssl pkey -in "$curve.key" -pubout -out "$curve.pub"
    expect yes "$curve: we sign" ours_sign "$model" "$curve.key" "ours-$curve.sig"
    expect yes "$curve: the reference verifies ours" \
        theirs verify key "$model" --signature "ours-$curve.sig" --public_key "$curve.pub"
    expect yes "$curve: the reference signs" \
        theirs sign key "$model" --signature "theirs-$curve.sig" --private_key "$curve.key"
    expect yes "$curve: we verify the reference's" ours_verify "$model" "theirs-$curve.sig" "$curve.pub"
    expect yes "$curve: we verify ours" ours_verify "$model" "ours-$curve.sig" "$curve.pub"
done

# A signature that lies inside the folder it signs.
expect yes "inside: we sign" ours_sign "$model" prime256v1.key "$model/model.sig"
expect yes "inside: the reference verifies ours" \
    theirs verify key "$model" --signature "$model/model.sig" --public_key prime256v1.pub
rm "$model/model.sig"
expect yes "inside: the reference signs" \
    theirs sign key "$model" --signature "$model/model.sig" --private_key prime256v1.key
expect yes "inside: we verify the reference's" ours_verify "$model" "$model/model.sig" prime256v1.pub
rm "$model/model.sig"

# A chain: root, intermediate, leaf.
ca() { # ca NAME ISSUER EXTENSIONS
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$1" -out "$1.csr" 2>/dev/null
    printf '%b' "$3" >"$1.ext"
    if [ "$2" = self ]; then
        openssl x509 -req -in "$1.csr" -signkey "$1.key" -days 30 -extfile "$1.ext" -out "$1.pem" 2>/dev/null
    else
        openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.pem" 2>/dev/null
    fi
}
authority='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n'
ca root self "$authority"
ca middle root "$authority"
ca leaf middle 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n'
cat leaf.pem middle.pem >chain.pem
expect yes "certificate: we sign" ours_sign_certificate "$model" leaf.key ours-certificate.sig chain.pem
expect yes "certificate: the reference verifies ours" \
    theirs verify certificate "$model" --signature ours-certificate.sig --certificate_chain root.pem
expect yes "certificate: the reference signs" theirs sign certificate "$model" --signature theirs-certificate.sig \
    --private_key leaf.key --signing_certificate leaf.pem --certificate_chain middle.pem
expect yes "certificate: we verify the reference's" ours_verify_certificate "$model" theirs-certificate.sig root.pem

# What neither may accept.
expect no "wrong key: ours" ours_verify "$model" theirs-prime256v1.sig secp384r1.pub
expect no "wrong key: the reference" \
    theirs verify key "$model" --signature ours-prime256v1.sig --public_key secp384r1.pub
printf 'x' >>"$model/sub/tok é.json"
expect no "changed: ours" ours_verify "$model" theirs-prime256v1.sig prime256v1.pub
expect no "changed: the reference" \
    theirs verify key "$model" --signature ours-prime256v1.sig --public_key prime256v1.pub
printf 'é' >"$model/sub/tok é.json"
printf 'more' >"$model/more"
expect no "added: ours" ours_verify "$model" theirs-prime256v1.sig prime256v1.pub
expect no "added: the reference" \
    theirs verify key "$model" --signature ours-prime256v1.sig --public_key prime256v1.pub
rm "$model/more" "$model/sub/empty.txt"
expect no "removed: ours" ours_verify "$model" theirs-prime256v1.sig prime256v1.pub
expect no "removed: the reference" \
    theirs verify key "$model" --signature ours-prime256v1.sig --public_key prime256v1.pub

exit "$failed"
