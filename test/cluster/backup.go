package cluster

import (
	"context"
	"fmt"
	"os"
)

// Backup copies etcd's data to a directory, which must not exist. etcd stops for that: the
// API server fails meanwhile, and its watches break.
func (c *Cluster) Backup(ctx context.Context, dir string) error {
	if err := c.Kill(Etcd); err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS(c.dir.file(etcdData))); err != nil {
		return fmt.Errorf("back up etcd: %w", err)
	}
	if err := c.Restart(ctx, Etcd); err != nil {
		return err
	}
	return c.waitServing(ctx)
}

// Restore kills the control plane, replaces etcd's data by a backup, starts the control
// plane again and returns when the API server serves. Resource versions go back, as do all
// objects; that is why no component may live on with what it has in memory.
func (c *Cluster) Restore(ctx context.Context, dir string) error {
	for _, component := range components() {
		if err := c.Kill(component); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(c.dir.file(etcdData)); err != nil {
		return fmt.Errorf("restore etcd: %w", err)
	}
	if err := os.CopyFS(c.dir.file(etcdData), os.DirFS(dir)); err != nil {
		return fmt.Errorf("restore etcd: %w", err)
	}
	for _, component := range components() {
		if err := c.Restart(ctx, component); err != nil {
			return err
		}
	}
	return nil
}
