"""MariaDB, Kafka and Connect on this machine. In order of use: jars, java, processes, servers, stack."""
