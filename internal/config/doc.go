// Package config reads the settings of the program from flags, the environment
// and secret files. Load checks everything and reports every fault; Variables
// is the table that documentation and `pppq config --list` are made from.
package config
