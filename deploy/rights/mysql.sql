-- The users that Sluice needs in MySQL or MariaDB: change the passwords, and the database where DATABASE_NAME does.

-- The API, the flusher, and every command but migrate.
create user 'sluice'@'%' identified by 'change me';
grant select, insert, update, delete on sluice.* to 'sluice'@'%';

-- `sluice migrate`, also of the versions to come; it makes the database where that is missing.
create user 'sluice_migrate'@'%' identified by 'change me';
grant select, insert, update, delete, create, alter, drop, index on sluice.* to 'sluice_migrate'@'%';
