FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json knexfile.ts ./
# Of embedded/, the build needs the script that copies other files than code; the image has none of it.
COPY embedded embedded
COPY migrations migrations
COPY src src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:20-bookworm-slim
# The first process of a container: passes signals on, and takes leave of orphans.
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
# As npm start has it: garbage is collected less often, for some 100 MiB.
ENV NODE_OPTIONS=--max-semi-space-size=64
WORKDIR /app
# Owned by root: the program can read itself and not write.
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
# The compiled sources, migrations and Lua scripts.
COPY --from=build /app/dist dist
# Where a volume for the backups goes; it takes over who owns this.
RUN mkdir --mode=700 /backups && chown node:node /backups
# By number, so that a platform can see that it is not root.
USER 1000:1000
EXPOSE 3000
ENTRYPOINT ["tini", "--"]
# The other commands take the place of "api".
CMD ["node", "dist/src/main.js", "api"]
# Of the API; for another command give another one, or --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
