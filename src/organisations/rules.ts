/* The maximum lengths of texts that lists are filtered by, in Unicode code points. */

export const SUBJECT_LENGTH = 255
export const COUNTRY_LENGTH = 100
