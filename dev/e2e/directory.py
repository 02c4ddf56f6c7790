"""A real OpenLDAP server for tests: `slapd` on loopback, over StartTLS and LDAPS, with a certificate by a CA of its own."""

import secrets
import shutil
import socket
import subprocess
import time

from harness import Failed

BASE = "dc=example,dc=org"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **more)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def authority(folder, name="ca"):
    """A CA; gives its certificate's path."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", f"/CN=Test {name}", "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", key, "-out", certificate)
    return certificate


def leaf(folder, ca="ca", name="server"):
    """A certificate for 127.0.0.1 by that CA."""
    key, request, certificate = (folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
    run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", request)
    more = folder / f"{name}.ext"
    more.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    run("openssl", "x509", "-req", "-in", request, "-CA", folder / f"{ca}.pem", "-CAkey", folder / f"{ca}.key",
        "-CAcreateserial", "-days", "2", "-extfile", more, "-out", certificate)
    return certificate, key


class Directory:
    """People, nested groups with a circle, somebody who is locked, and two who share an address."""

    def __init__(self, folder):
        self.folder = folder / "slapd"
        (self.folder / "db").mkdir(parents=True)
        self.passwords = {name: secrets.token_hex(12) for name in
                          ("service", "ada", "bob", "carol", "eve", "locked", "twin1", "twin2", "admin")}
        self.plain, self.secure = free_port(), free_port()
        self.ca = authority(self.folder)
        self.other_ca = authority(self.folder, "other")
        self.certificate, self.key = leaf(self.folder)
        self.process = None

    def dn(self, name):
        return f"cn={name},{BASE}" if name == "service" else f"uid={name},ou=people,{BASE}"

    def entries(self):
        yield f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example"
        for unit in ("people", "groups"):
            yield f"dn: ou={unit},{BASE}\nobjectClass: organizationalUnit\nou: {unit}"
        yield (f"dn: {self.dn('service')}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: service\n"
               f"userPassword: {self.passwords['service']}")
        yield (f"dn: cn=policy,{BASE}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: policy\npwdAttribute: userPassword\n"
               "pwdLockout: TRUE")
        for name, password in self.passwords.items():
            if name == "service":
                continue
            mail = "twin" if name.startswith("twin") else name
            more = "\npwdAccountLockedTime: 000001010000Z" if name == "locked" else ""
            yield (f"dn: {self.dn(name)}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n"
                   f"mail: {mail}@example.org\nuserPassword: {password}{more}")
        groups = {"vision": [self.dn("ada"), f"cn=all,ou=groups,{BASE}"], "ml": [f"cn=vision,ou=groups,{BASE}"],
                  "all": [f"cn=ml,ou=groups,{BASE}"], "admins": [self.dn("bob")]}
        for name, members in groups.items():
            yield (f"dn: cn={name},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {name}\n"
                   + "\n".join(f"member: {member}" for member in members))

    def __enter__(self):
        slapd = shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin")
        if not slapd or not shutil.which("ldapdelete"):
            raise Failed("OpenLDAP's server is not installed (Debian: apt-get install slapd ldap-utils)")
        settings = self.folder / "slapd.conf"
        settings.write_text(f"""include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile {self.folder}/pid
TLSCACertificateFile {self.ca}
TLSCertificateFile {self.certificate}
TLSCertificateKeyFile {self.key}
disallow bind_anon
security simple_bind=128
database mdb
suffix "{BASE}"
rootdn "cn=root,{BASE}"
rootpw {self.passwords['service']}
directory {self.folder}/db
index uid,mail,member eq
overlay ppolicy
ppolicy_default "cn=policy,{BASE}"
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{self.dn('service')}" read by * none
""")
        data = self.folder / "data.ldif"
        data.write_text("\n\n".join(self.entries()) + "\n")
        run(shutil.which("slapadd", path="/usr/sbin:/usr/bin"), "-f", settings, "-l", data)
        urls = f"ldap://127.0.0.1:{self.plain} ldaps://127.0.0.1:{self.secure}"
        self.process = subprocess.Popen([slapd, "-f", settings, "-h", urls, "-d", "0"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while True:
            if self.process.poll() is not None:
                raise Failed(f"slapd ended with {self.process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", self.secure), timeout=1).close()
                return self
            except OSError:
                if time.monotonic() > end:
                    raise Failed("slapd does not listen") from None
                time.sleep(0.05)

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def delete(self, name):
        run("ldapdelete", "-x", "-H", f"ldaps://127.0.0.1:{self.secure}", "-D", f"cn=root,{BASE}", "-w",
            self.passwords["service"], self.dn(name), env={"LDAPTLS_CACERT": str(self.ca), "PATH": "/usr/bin"})
