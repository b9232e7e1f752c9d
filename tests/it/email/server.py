"""An SMTP server (aiosmtpd) that writes what it takes as lines of JSON: PORT FILE MODE [CERTIFICATE KEY]."""
import asyncio, base64, email, email.policy, hashlib, hmac, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult, MISSING

port, path, mode = int(sys.argv[1]), sys.argv[2], sys.argv[3]
NAME, PASSWORD = b"ann", b"open sesame"


class Handler:
    refused = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 no such user here"
        if address.startswith("later") and Handler.refused < 2:
            Handler.refused += 1
            return "451 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = []
        for part in message.walk():
            if not part.is_multipart():
                content = part.get_content()
                if isinstance(content, bytes):
                    content = base64.b64encode(content).decode()
                content = content.replace("\r\n", "\n")
                parts.append({"type": part.get_content_type(), "file": part.get_filename(), "content": content})
        taken = {
            "hello": session.host_name,
            "encrypted": session.ssl is not None,
            "as": getattr(session, "who", None),
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name.lower(): value for name, value in message.items()},
            "type": message.get_content_type(),
            "parts": parts,
        }
        with open(path, "a") as out:
            out.write(json.dumps(taken) + "\n")
        return "250 taken"

    # aiosmtpd knows PLAIN and LOGIN by itself.
    async def auth_CRAM__MD5(self, server, args):
        challenge = b"<1896.697170952@example.org>"
        answer = await server.challenge_auth(challenge)
        if answer is MISSING:
            return AuthResult(success=False)
        expected = NAME + b" " + hmac.new(PASSWORD, challenge, hashlib.md5).hexdigest().encode()
        server.session.who = "cram_md5"
        return AuthResult(success=hmac.compare_digest(answer, expected), handled=False)


def authenticate(server, session, envelope, mechanism, data):
    session.who = mechanism.lower()
    return AuthResult(success=(data.login, data.password) == (NAME, PASSWORD), handled=False)


def make():
    options = {"hostname": "stand-in", "enable_SMTPUTF8": True}
    if mode in ("auth", "tls"):
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": mode == "tls"}
    if mode == "tls":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[4], sys.argv[5])
        options |= {"tls_context": context, "require_starttls": True}
    return SMTP(Handler(), **options)


async def main():
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


asyncio.run(main())
