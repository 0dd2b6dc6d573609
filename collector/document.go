package collector

// APIVersion is the version of the JSON and YAML that the commands print and the server
// sends (docs/api.md). A field may be added; one that goes, or means something else,
// makes another version.
const APIVersion = "daemonset-exporter/v1"

// Document is what every JSON or YAML document begins with.
type Document struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// DocumentOf returns the beginning of a document of a kind.
func DocumentOf(kind string) Document { return Document{APIVersion, kind} }

// ExplanationList is a document with explanations.
type ExplanationList struct {
	Document
	Items []Explanation `json:"items"`
}

// NewExplanationList returns a document with these explanations.
func NewExplanationList(items ...Explanation) ExplanationList {
	return ExplanationList{DocumentOf("ExplanationList"), items}
}

// Problem is a document that says why there is no other.
type Problem struct {
	Document
	Error string `json:"error"`
}

// NewProblem returns a document with an error.
func NewProblem(err error) Problem { return Problem{DocumentOf("Problem"), err.Error()} }
