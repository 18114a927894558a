/** What `cap-child` and the one who starts it agree on. */

/** Exit status with which `cap-child` says that the package can't be loaded. */
export const CAP_MISSING_STATUS = 69;
