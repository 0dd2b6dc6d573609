package cli

import (
	"errors"
	"fmt"
)

// The exit codes. Pipelines depend on them.
const (
	// ExitNothing: nothing is wrong.
	ExitNothing = iota
	// ExitFinding: something is wrong.
	ExitFinding
	// ExitUsage: the command line is wrong.
	ExitUsage
	// ExitUnknown: it could not be told. A missing permission is never a gap.
	ExitUnknown
)

// usageError is a mistake of the caller.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exitCode returns the exit code of a command, and says what went wrong.
func (e *Environment) exitCode(found bool, err error) int {
	var usage usageError
	switch {
	case errors.As(err, &usage):
		_, _ = fmt.Fprintf(e.Err, "error: %s, try --help\n", err)
		return ExitUsage
	case err != nil:
		_, _ = fmt.Fprintf(e.Err, "error: %s\n", err)
		return ExitUnknown
	case found:
		return ExitFinding
	default:
		return ExitNothing
	}
}
