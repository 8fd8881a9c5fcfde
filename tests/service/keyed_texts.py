"""Texts that users copy, each with a key in a different place. ``KEY`` stands for the key."""

from __future__ import annotations

__all__ = ["READABLE", "UNREADABLE"]

_URL = "https://qingbo.dev/v1/tasks"
_BODY = '{"model": "kling-v3", "prompt": "A koi"}'
_DATA = f"-d '{_BODY}'"

#: Texts with a readable request, "A koi" for kling-v3.
READABLE = {
    "bearer": f"curl {_URL} -H 'Authorization: Bearer KEY' {_DATA}",
    "other header": f'curl {_URL} -H "X-API-Key: KEY" {_DATA}',
    "bare header": f"curl {_URL} -H 'Authorization: KEY' {_DATA}",
    "another scheme": f"curl {_URL} -H 'Authorization: Key KEY' {_DATA}",
    "exported before": f'export QINGBO_API_KEY=KEY\ncurl {_URL} -H "Authorization: $QINGBO_API_KEY" {_DATA}',
    "set for it": f"QINGBO_API_KEY=KEY curl {_URL} {_DATA}",
    "-u": f"curl {_URL} -u KEY: {_DATA}",
    "--user": f"curl --user=me:KEY {_URL} {_DATA}",
    "--oauth2-bearer": f"curl {_URL} --oauth2-bearer KEY {_DATA}",
    "query": f"curl '{_URL}?api_key=KEY' {_DATA}",
    "path": f"curl https://qingbo.dev/token/KEY/tasks {_DATA}",
    "login in the URL": f"curl https://me:KEY@qingbo.dev/v1/tasks {_DATA}",
    "continued lines": f"$ curl {_URL} \\\n  -H \\\n 'Authorization: Bearer KEY' \\\n  {_DATA}",
    "carets": f'curl {_URL} ^\r\n -H "Authorization: Bearer KEY" ^\r\n -d "{_BODY}"'.replace(
        f'"{_BODY}"', f"'{_BODY}'"
    ),
    "requests": f'requests.post("{_URL}", headers={{"Authorization": "Bearer KEY"}}, json={_BODY})',
    "httpx": f"httpx.post('{_URL}', auth=('me', 'KEY'), json={_BODY})",
    "PowerShell": f"Invoke-RestMethod {_URL} -Headers @{{Authorization=\"Bearer KEY\"}} -Body '{_BODY}'",
    "fetch": f"fetch('{_URL}', {{headers: {{Authorization: `Bearer KEY`}}, body: '{_BODY}'}})",
    "HTTP": f"POST /v1/tasks HTTP/1.1\r\nAuthorization: Bearer KEY\r\nCookie: a=KEY\r\n\r\n{_BODY}",
    "wget": f"wget --header='Authorization: Bearer KEY' --post-data='{_BODY}' {_URL}",
    "JSON with headers": f'{{"headers": {{"Authorization": "KEY"}}, {_BODY[1:]}',
    "JSON with a pair": f'{{"headers": [["X-API-Key", "KEY"]], {_BODY[1:]}',
    "JSON of a browser": f'{{"headers": [{{"name": "Authorization", "value": "KEY"}}], {_BODY[1:]}',
    "JSON field": f'{{"api_key": "KEY", {_BODY[1:]}',
    "JSON twice": f'{{"token": "KEY", "token": 1, {_BODY[1:]}',
    "JSON escaped": f'{{"api\\u005fkey": "KEY", {_BODY[1:]}',
    "JSON in JSON": f'{{"sent": "{{\\"token\\": \\"KEY\\"}}", {_BODY[1:]}',
    "in extra": f'{{"extra": {{"access_token": "KEY"}}, {_BODY[1:]}',
    "in a wrong field": f'{{"duration": "Bearer KEY", {_BODY[1:]}',
    "as a name": f'{{"Bearer KEY": 1, {_BODY[1:]}',
    "URL in JSON": f'{{"url": "{_URL}?key=KEY", {_BODY[1:]}',
}

#: Texts without a readable request.
UNREADABLE = {
    "without data": f"curl {_URL} -H 'Authorization: Bearer KEY'",
    "data in a file": f"curl {_URL} -u me:KEY -d @body.json",
    "-u joined": f"curl -ume:KEY {_URL}",
    "cookie": f"curl -b 'session=KEY' {_URL}",
    "proxy": f"curl --proxy-user me:KEY {_URL}",
    "open quote": f"curl {_URL} -H 'Authorization: Bearer KEY -d '{{\"a\": 1}}'",
    "netrc": "machine qingbo.dev login me password KEY",
    "netrc, on lines": "machine qingbo.dev\n  login KEY\n  password x",
    "httpie": f"http POST {_URL} Authorization:'Bearer KEY' prompt=x",
    "httpie -a": f"http -A bearer -a KEY {_URL}",
    "session": "session.headers['Authorization'] = 'Bearer KEY'",
    "f-string": "headers={'Authorization': f'Bearer KEY'}, json={'prompt': 'x'}",
    "keyword": "session.headers.update(Authorization='KEY')",
    "BasicAuth": "httpx.Client(auth=httpx.BasicAuth('me', 'KEY'))",
    "ours": 'qw.connect(api_key="KEY")',
    "os.environ": "os.environ.setdefault('WAVE_API_KEY', 'KEY')",
    "setx": "setx QINGBO_API_KEY KEY",
    "fish": "set -x QINGBO_API_KEY KEY",
    "$env:": '$env:QINGBO_API_KEY = "KEY"',
    "SecureString": "-Token (ConvertTo-SecureString 'KEY' -AsPlainText)",
    "JavaScript": "fetch(u, {headers: {'x-api-key': \"KEY\"}, body: JSON.stringify({prompt: 'x'})})",
    "append": "headers.append('Authorization', 'Bearer KEY')",
    "joined": '.header("Authorization", "Bearer " + "KEY")',
    "PHP": "'Authorization' => 'Bearer KEY'",
    "YAML": "api-key: 'KEY'",
    "query alone": "GET /v1/tasks?token=KEY HTTP/1.1",
    "broken JSON": '{"authorization": "Bearer KEY", "prompt": "x"',
    "list": '[{"token": "KEY"}]',
    "no request": '{"api_key": "KEY"}',
    "alone": "KEY",
    "alone, in quotes": '"KEY"',
    "alone, with blanks": "  KEY\n",
    "after Bearer": "Bearer KEY",
    "in a sentence": "my key is KEY.",
    "in Chinese": "密钥：KEY",
    "curly quotes": "Authorization: “Bearer KEY”",
    "invisible letter": "Author\u200bization: KEY",
    "invisible letter after": "Authorization:\u200b KEY",
    "mark at the beginning": "\ufeffAuthorization: Bearer KEY",
}
