# syntax=docker/dockerfile:1
# One image for every service and tool. It contains the binary and nothing else: it
# has no shell and no package manager, and it does not run as root.

# Node builds the web app and is not in the image. Any version that the web app's
# package.json allows works.
ARG NODE_VERSION=22
ARG GO_VERSION=1.26

FROM node:${NODE_VERSION}-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund --loglevel=error
COPY web ./
COPY docs/tutorial ../docs/tutorial
RUN npm run --silent build -- --logLevel warn

FROM golang:${GO_VERSION}-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
COPY --from=web /src/web/dist web/dist
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -tags nomsgpack -ldflags "-s -w -X main.version=${VERSION}" -o /out/tandem ./services/cmd/tandem
# A new volume that is mounted here gets this folder's owner, so nonroot may write.
RUN mkdir -p /out/ledger && chmod 700 /out/ledger

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/tandem /tandem
COPY --from=build --chown=65532:65532 /out/ledger /ledger
USER nonroot
ENTRYPOINT ["/tandem"]
