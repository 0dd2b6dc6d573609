# The exporter and nothing else: a static binary, the certificate authorities
# that public API servers are signed by, and no shell.
#
#   docker build .
#
# Releases are made by tools/image, which needs no container engine.
ARG GO_IMAGE=golang:1.26.8
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=unknown REVISION=unknown BRANCH=unknown
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w \
      -X github.com/prometheus/common/version.Version=$VERSION \
      -X github.com/prometheus/common/version.Revision=$REVISION \
      -X github.com/prometheus/common/version.Branch=$BRANCH" \
    -o /daemonset_exporter .

FROM scratch
ARG VERSION=unknown REVISION=unknown
LABEL org.opencontainers.image.title="daemonset_exporter" \
      org.opencontainers.image.description="Tells Prometheus which node lacks a working pod of which DaemonSet, since when, and why" \
      org.opencontainers.image.source="https://github.com/daemonset-exporter/daemonset_exporter" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /LICENSE
COPY --from=build /daemonset_exporter /daemonset_exporter
# By number, so that Kubernetes can tell that it is not root.
USER 65532:65532
EXPOSE 10479
ENTRYPOINT ["/daemonset_exporter"]
