"""Bytes of files, apart from the database: in a folder (`disk`) or in a bucket of any S3-compatible store (`s3`)."""
