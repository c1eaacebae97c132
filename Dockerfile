FROM swift:6.3-bookworm AS build
RUN apt-get update -q \
 && apt-get install -q -y --no-install-recommends libssl-dev libsqlite3-dev zlib1g-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.* ./
# Packages are fetched again only when the manifest changes.
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product wattloop \
 && install -s .build/release/wattloop /usr/local/bin/wattloop

FROM debian:bookworm-slim
RUN apt-get update -q \
 && apt-get install -q -y --no-install-recommends libssl3 libsqlite3-0 libstdc++6 zlib1g ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin wattloop \
 && install -d -o wattloop -g wattloop -m 700 /data
COPY --from=build /usr/local/bin/wattloop /usr/local/bin/wattloop
COPY Scripts/healthcheck /usr/local/bin/healthcheck
USER wattloop
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["healthcheck"]
ENTRYPOINT ["wattloop", "serve", "--host", "0.0.0.0", "--data", "/data"]
