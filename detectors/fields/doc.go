// Package fields says what a field name of a rule means for the records of a log
// source, and how the field is read. It knows nothing of rules, findings or
// engines.
//
// A name is a path into the record, as package document has them, or a computed
// field, which says what no path can (computed.go lists them). Shared rules call
// fields as some product does; a Mapping translates the names of a log source into
// paths and computed fields. There are two users:
//
//   - The loader of rules asks which events a log source means (ViewsOf, KindsOf),
//     has the fields of a rule renamed for them, and asks whether any of their
//     records can have such a field (Mapping).
//   - The engine makes one Table of all the names that its rules use. The table
//     tells which paths a single walk over the record is to read, where the walk
//     puts the values of a field (Place), and what the index had better be over;
//     what the walk does not read, it reads when asked.
package fields
