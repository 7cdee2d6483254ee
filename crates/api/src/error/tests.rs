//! Every reason and every rejection, in both languages.
