/** The runtime directory, which root owns: the lock, and records of facts that the kernel does not keep. */
export const RUNTIME = '/run/via';

/** The one lock for every change. */
export const LOCK = `${RUNTIME}/lock`;

/** Our own mount point of net_cls. A mount under /sys/fs/cgroup breaks LXD, podman and systemctl. */
export const OWN_MOUNT = `${RUNTIME}/net_cls`;

/** The record of a group. */
export const groupFile = (uuid: string): string => `${RUNTIME}/group-${uuid}`;

/** The state of a group's gateway, while it is lost or closed. */
export const stateFile = (uuid: string): string => `${RUNTIME}/state-${uuid}`;

/** The same for the user who owns the group. */
export const newsFile = (uuid: string): string => `${RUNTIME}/news-${uuid}`;

/** The FIFO of a network namespace's keeper. */
export const keeperFile = (namespace: string): string => `${RUNTIME}/keeper-${numberOf(namespace)}`;

/** The times of a keeper's recent repairs. */
export const repairsFile = (namespace: string): string => `${RUNTIME}/mends-${numberOf(namespace)}`;

/** The record of the iptables-nft tables and chains that did not exist before us. */
export const builtinFile = (namespace: string): string => `${RUNTIME}/iptables-${numberOf(namespace)}`;

/** The record of a device's original src_valid_mark. */
export const sysctlFile = (device: string, namespace: string): string =>
  `${RUNTIME}/sysctl-${numberOf(namespace)}-${device}`;

/** The number in the name of a network namespace, `net:[4026531840]`. */
const numberOf = (namespace: string): string => namespace.replace(/\D/g, '');
