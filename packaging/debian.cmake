# SPDX-License-Identifier: GPL-2.0-only
# CPack's Debian packages: irqcost of component main, irqcost-dkms of component dkms.

execute_process(
  COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/relations.py
  OUTPUT_VARIABLE relations
  OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY
)
string(REPLACE "\n" ";" relations "${relations}")
list(GET relations 0 depends)
list(GET relations 1 recommends)
list(GET relations 2 suggests)
set_property(
  DIRECTORY APPEND
  PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/scripts/packages.txt
)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME irqcost)
set(CPACK_PACKAGE_CONTACT "${IRQCOST_MAINTAINER}")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_COMPONENTS_ALL main dkms)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(permissions OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
    WORLD_EXECUTE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${permissions})

set(CPACK_DEBIAN_MAIN_PACKAGE_NAME irqcost)
set(CPACK_DEBIAN_MAIN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_MAIN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_MAIN_PACKAGE_DEPENDS "${depends}, adduser")
set(CPACK_DEBIAN_MAIN_PACKAGE_RECOMMENDS "${recommends}")
set(CPACK_DEBIAN_MAIN_PACKAGE_SUGGESTS "irqcost-dkms, rsync, ${suggests}")
set(CPACK_COMPONENT_MAIN_DESCRIPTION
    "measure what masking interrupts costs
Measures what it costs to mask interrupts on this CPU, with this kernel, by
each primitive (local_irq_save, spin_lock_irqsave, local_bh_disable, cli and
others), and says whether the result can be trusted.
.
Results can be compared with those of other machines, kernels and microcode,
and a job of continuous integration can be made to fail where masking became
slower.
.
The kernel module, which measures in ring 0, is in the package irqcost-dkms.")

set(CPACK_DEBIAN_DKMS_PACKAGE_NAME irqcost-dkms)
set(CPACK_DEBIAN_DKMS_PACKAGE_SECTION kernel)
set(CPACK_DEBIAN_DKMS_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_DKMS_PACKAGE_DEPENDS dkms)
set(CPACK_DEBIAN_DKMS_PACKAGE_RECOMMENDS "irqcost (= ${PROJECT_VERSION}-1)")
set(CPACK_COMPONENT_DKMS_DESCRIPTION
    "kernel module of irqcost, built by DKMS
The sources of the kernel module irqcost, which measures in ring 0 what
masking interrupts costs. DKMS builds the module for each installed kernel.
.
The module does nothing until it is asked through /dev/irqcost, and keeps
interrupts off for at most 100 microseconds at a time.")

# The maintainers' scripts: packaging/debian/PACKAGE.SCRIPT, with the version filled in.
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  set(scripts "")
  foreach(script IN ITEMS postinst prerm postrm)
    set(source ${CMAKE_CURRENT_SOURCE_DIR}/debian/${package}.${script})
    if(EXISTS ${source})
      configure_file(
        ${source} ${component}/${script} @ONLY
        FILE_PERMISSIONS ${permissions}
      )
      list(APPEND scripts ${made}/${component}/${script})
    endif()
  endforeach()
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA "${scripts}")
  install(
    FILES debian/copyright ${made}/${component}/changelog.Debian.gz ${made}/changelog.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package}
    COMPONENT ${component}
  )
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/debian/${package}.lintian-overrides)
    install(
      FILES debian/${package}.lintian-overrides
      DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides
      RENAME ${package}
      COMPONENT ${component}
    )
  endif()
endforeach()
include(CPack)
