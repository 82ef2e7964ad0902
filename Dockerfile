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
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
# Owned by root: the program can read itself and not write.
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
# The compiled sources, migrations and Lua scripts.
COPY --from=build /app/dist dist
# Where a volume for the backups goes; it takes over who owns this.
RUN mkdir --mode=700 /backups && chown node:node /backups
USER node
EXPOSE 3000
# Under plain docker add --init; docker-compose.yml does so. The other commands take the place of "api".
CMD ["node", "dist/src/main.js", "api"]
