// Command release makes those files of a release that need more than a shell:
//
//	release zip FILE FOLDER...       an archive of folders
//	release krew VERSION FOLDER      the manifest of the plugin of kubectl, of the archives in a folder
//
// Stamps are $SOURCE_DATE_EPOCH: the same files give the same archive.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	switch {
	case len(args) > 2 && args[0] == "zip":
		return writeZip(args[1], args[2:])
	case len(args) == 3 && args[0] == "krew":
		return writeManifest(out, args[1], args[2])
	default:
		return errors.New("usage: release zip FILE FOLDER..., or release krew VERSION FOLDER")
	}
}
