"""The settings of NexusOne's dialect: where its data lies, and who calls it."""

from headrace.readings import Setting, bucket, claims, hosts, issuer, size, url

NX1_SETTINGS = (
    Setting(
        "warehouse",
        "warehouse",
        bucket,
        "Bucket of the tables that jobs of NexusOne's dialect fill: a folder `schema/table` for each.",
    ),
    Setting("uploads", "uploads", bucket, "Bucket of the files that are uploaded by NexusOne's dialect."),
    Setting("upload_limit", "1GB", size, "The most that an uploaded file may have."),
    Setting(
        "oidc_issuer",
        "",
        issuer,
        "Issuer of the bearer tokens of NexusOne's dialect, as its discovery document names it. Without a value: "
        "Headrace gives tokens itself, to what `headrace clients` makes.",
    ),
    Setting("oidc_audience", "headrace", str, "Whom a token must be for: one of its `aud`."),
    Setting(
        "oidc_roles_claim",
        "realm_access.roles",
        claims,
        "Where the roles stand in a token; several places are parted by commas.",
    ),
    Setting(
        "oidc_owner_claim",
        "email,preferred_username,sub",
        claims,
        "Which claim names the owner of jobs: the first of these that a token has.",
    ),
    Setting(
        "oidc_ca_file",
        "",
        str,
        "A file of certificates to trust when the issuer is asked, in place of the system's own.",
    ),
    Setting(
        "outbound_hosts",
        "",
        hosts,
        "Hosts that the server may ask besides the issuer's own, parted by commas: where the issuer's keys are.",
    ),
    Setting(
        "public_url",
        "",
        url,
        "Address of the server as clients know it: what its own tokens have as issuer. Without a value: where it "
        "listens.",
    ),
)
