"""The commands of the cluster, and those that concern the whole road."""
