// Package ext stands for the extension points of Traefik's configuration, which its module leaves out. They are empty there.
package ext

type HTTP struct{}

func (*HTTP) DeepCopyInto(*HTTP) {}

type Router struct{}

func (*Router) DeepCopyInto(*Router) {}
